"""``tonearm completion``: print a script that completes command lines, or what completes one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import SimpleNamespace

from tonearm.cli import console
from tonearm.cli.candidates import FILES, FOLDERS, candidates
from tonearm.errors import one_line

SHELLS = ("bash", "zsh", "fish")
"""Shells that have a script."""

# The scripts call `tonearm completion SHELL -- WORD …` with the words up to the cursor, and get a candidate on each
# line, with a tab before its description. One that begins with a colon stands for names of files, which shells know.

_BASH = r"""# Completion of tonearm for bash: eval "$(tonearm completion bash)"
_tonearm() {
    local word text
    COMPREPLY=()
    while IFS=$'\t' read -r word text; do
        case "$word" in
            FILES) compopt -o default 2>/dev/null ;;
            FOLDERS) compopt -o dirnames 2>/dev/null ;;
            *) COMPREPLY+=("$word") ;;
        esac
    done < <("$1" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _tonearm tonearm
"""

_ZSH = r"""#compdef tonearm
# Completion of tonearm for zsh: eval "$(tonearm completion zsh)" after compinit
_tonearm() {
    local line word
    local -a names open
    [[ "$PREFIX" == --*=* ]] && compset -P 1 '*='
    for line in "${(@f)$("${(Q)words[1]}" completion zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        word="${${line%%$'\t'*}//:/\\:}"
        case "$word" in
            '') ;;
            '\FILES') _files ;;
            '\FOLDERS') _path_files -/ ;;
            *=) open+=("$word:${line#*$'\t'}") ;;
            *) names+=("$word:${line#*$'\t'}") ;;
        esac
    done
    (( $#names )) && _describe -V tonearm names
    (( $#open )) && _describe -V tonearm open -S ''
}
if [ "$funcstack[1]" = "_tonearm" ]; then
    _tonearm "$@"
else
    compdef _tonearm tonearm
fi
"""

_FISH = r"""# Completion of tonearm for fish: tonearm completion fish | source
function __tonearm_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l flag (string match --regex -- '^--[^=]*=' "$current")
    set -l value (string replace --regex -- '^--[^=]*=' '' "$current")
    for line in ($words[1] completion fish -- $words[2..] "$current" 2>/dev/null)
        switch $line
            case 'FILES*'
                for name in (__fish_complete_path "$value")
                    printf '%s%s\n' "$flag" $name
                end
            case 'FOLDERS*'
                for name in (__fish_complete_directories "$value")
                    printf '%s%s\n' "$flag" $name
                end
            case '*'
                printf '%s%s\n' "$flag" $line
        end
    end
end
complete --command tonearm --no-files --arguments '(__tonearm_candidates)'
"""

_SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="Shell: bash, zsh or fish")
    parser.add_argument("words", nargs="*", default=[], metavar="WORD", help=argparse.SUPPRESS)  # the scripts give them
    parser.epilog = (
        'In ~/.bashrc or ~/.zshrc: eval "$(tonearm completion bash)" or zsh.'
        " In ~/.config/fish/config.fish: tonearm completion fish | source."
    )


def main(arguments: SimpleNamespace) -> int:
    """Print the script of a shell, or the candidates for the last of the given words."""
    if not arguments.words:
        script = _SCRIPTS[arguments.shell].replace("FILES", FILES).replace("FOLDERS", FOLDERS)
        console.print_data(script, end="")
        return console.DONE
    words = _joined(arguments.words) if arguments.shell == "bash" else arguments.words
    for text, description in candidates(words):
        shown = text if arguments.shell != "bash" else _after_break(text, words[-1], arguments.words[-1])
        console.print_data(f"{shown}\t{one_line(description)}" if description else shown)
    return console.DONE


def _joined(words: Sequence[str]) -> list[str]:
    """Return the words of bash, which breaks ``--kind=mel`` and ``a:b`` into three, as they were written."""
    found: list[str] = []
    for word in words:
        if found and (_is_break(word) or (found[-1] and _is_break(found[-1][-1]))):
            found[-1] += word
        else:
            found.append(word)
    return found


def _is_break(word: str) -> bool:
    return bool(word) and not word.strip("=:")


def _after_break(text: str, word: str, current: str) -> str:
    """Return what is to replace the current word of bash, which may be the end of a word as it was written."""
    if text in (FILES, FOLDERS):
        return text
    whole = f"{word.partition('=')[0]}={text}" if word.startswith("--") and "=" in word else text
    return whole[len(word) - (0 if _is_break(current) else len(current)) :]
