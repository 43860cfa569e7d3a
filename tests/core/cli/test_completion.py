"""The scripts for shells, each tried in its shell."""

import os
import select
import shutil
import subprocess
import sysconfig

import pytest
from core_toys import tonearm
from terminals import open_terminal

from tonearm.cli import main as cli
from tonearm.cli.completion import SHELLS, _after_break, _joined

BASH = """
PS1='$ '; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'; bind 'set page-completions off'
eval "$(tonearm completion bash)"
bind -x '"\\C-g": printf "{%s}\\n" "$READLINE_LINE"'
"""
ZSH = """
PS1='$ '; unsetopt beep zle_bracketed_paste prompt_sp; unset zle_bracketed_paste; LISTMAX=10000
autoload -U compinit; compinit -u -D
eval "$(tonearm completion zsh)"
show() { print -r -- "{$BUFFER}" }; zle -N show; bindkey '^G' show
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a few files, in which the shells are."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("mel one.npy", "pipeline.yaml", "sounds/a.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


def environment(files):
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    return os.environ | {"PATH": path, "HOME": str(files), "TERM": "dumb", "INPUTRC": "/dev/null", "LC_ALL": "C.UTF-8"}


class Shell:
    """A shell on a terminal, which has run some lines."""

    def __init__(self, command, setup, files):
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        script = files / f".{command[0]}-setup"
        script.write_text(setup)
        self.ours, theirs = open_terminal(200)
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=files, env=environment(files),
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.type(f"source ./{script.name}; printf '{{%s}}\\n' ready\r")
        self.read("{ready}")

    def type(self, text):
        os.write(self.ours, text.encode())

    def read(self, end):
        """Return what the shell prints up to some text."""
        seen = ""
        while end not in seen:
            assert select.select([self.ours], [], [], 120)[0], f"the shell is silent after {seen!r}"
            seen += os.read(self.ours, 65536).decode(errors="replace")
        return seen.replace("\r\n", "\n")

    def complete(self, line):
        """Return the line that a tab makes of one, and what the shell prints in between."""
        self.type(f"{line}\t\x07")
        shown = self.read("}")
        self.type("\x15\x0b")  # clears the line
        before, _, completed = shown.rpartition("{")
        return completed.partition("}")[0], before

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture(scope="module")
def bash(files):
    shell = Shell(["bash", "--norc", "--noprofile", "-i"], BASH, files)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def zsh(files):
    shell = Shell(["zsh", "-f", "-i"], ZSH, files)
    yield shell
    shell.close()


COMPLETED = {
    "tonearm conv": "tonearm convert ",
    "tonearm run p.yaml --exec": "tonearm run p.yaml --executor",
    "tonearm run p.yaml --dry": "tonearm run p.yaml --dry-run ",
    "tonearm check --format gi": "tonearm check --format github ",
    "tonearm check --format=gi": "tonearm check --format=github ",
    "tonearm check --format=": "tonearm check --format=",
    "tonearm convert a.npy b.wav --kind=wav": "tonearm convert a.npy b.wav --kind=waveform ",
    "tonearm convert --step griff": "tonearm convert --step griffin-lim ",
    "tonearm convert --step resample:sam": "tonearm convert --step resample:sample_rate=",
    "tonearm plugins mp3": "tonearm plugins mp3-writer ",
    "tonearm dialects whisper-8": "tonearm dialects whisper-80 ",
    "tonearm convert --limit mem": "tonearm convert --limit memory=",
    "tonearm check pip": "tonearm check pipeline.yaml ",
    "tonearm inspect sounds/": "tonearm inspect sounds/a.wav ",
    "tonearm run p.yaml -o so": "tonearm run p.yaml -o sounds/",
    "tonearm run p.yaml -o pip": "tonearm run p.yaml -o pip",
    "tonearm run p.yaml --out=so": "tonearm run p.yaml --out=sounds/",
    "tonearm dialects zzz": "tonearm dialects zzz",
    "tonearm covert x": "tonearm covert x",
}
"""Lines, each with what one tab makes of it."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("line", COMPLETED)
def test_in_bash(line, bash):
    assert bash.complete(line)[0] == COMPLETED[line]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("line", COMPLETED)
def test_in_zsh(line, zsh):
    completed = zsh.complete(line)[0]
    assert completed.rstrip(" ") == COMPLETED[line].rstrip(" ")  # zsh has a space that the next letter replaces


def test_names_with_spaces_are_quoted(bash, zsh):
    assert bash.complete("tonearm inspect mel")[0] == r"tonearm inspect mel\ one.npy "
    assert zsh.complete("tonearm inspect mel")[0].rstrip() == r"tonearm inspect mel\ one.npy"


def test_what_fits_is_listed(bash, zsh):
    listed = bash.complete("tonearm check --format ")[1]
    assert set(listed.split()) >= {"text", "json", "github"}
    listed = zsh.complete("tonearm ")[1]
    assert "Convert files with a pipeline" in listed
    assert "dialects" in listed


FISH = {
    "tonearm conv": ["convert\tConvert one file without writing a pipeline"],
    "tonearm check --format gi": ["github"],
    "tonearm check --format=gi": ["--format=github"],
    "tonearm convert a.npy b.wav --kind wav": ["waveform"],
    "tonearm convert --dialect stylet": ["styletts2"],
    "tonearm convert --step resample:sam": ["resample:sample_rate=\tSample rate of the result in Hz."],
    "tonearm check pip": ["pipeline.yaml"],
    "tonearm inspect mel": ["mel one.npy"],
    "tonearm run p.yaml --out so": ["sounds/"],
    "tonearm run p.yaml --out=so": ["--out=sounds/"],
    "tonearm inspect sounds/": ["sounds/a.wav"],
    "tonearm dialects zzz": [],
    "tonearm run p.yaml --dry": ["--dry-run\tList what the run would do, without converting"],
}
"""Lines, each with the candidates that fish offers for its end."""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_in_fish(files):
    lines = "".join(f'echo {{{line}}}; complete -C "{line}"\n' for line in FISH)
    script = f"tonearm completion fish | source\n{lines}"
    command = ["fish", "--no-config", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=files, env=environment(files), timeout=60)
    assert done.stderr == ""
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found[line[1:-1]] = []
        else:
            found[list(found)[-1]].append(line)
    strip = {line: [one.partition("\t")[0] if "/" in one or "." in one.split("\t")[0] else one for one in offered]
             for line, offered in found.items()}  # fmt: skip
    assert strip == FISH


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_right_for_its_shell(shell, tmp_path):
    script = tonearm("completion", shell).stdout
    (tmp_path / "script").write_text(script)
    assert "tonearm completion " in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["check", "--format", "=", "j"], ["check", "--format=j"]),
        (["check", "--format", "="], ["check", "--format="]),
        (["a", ":", "b", "=", "c"], ["a:b=c"]),
        (["run", ""], ["run", ""]),
        (["--x", "=", ""], ["--x="]),
    ],
)
def test_the_words_of_bash_are_joined(words, expected):
    assert _joined(words) == expected


@pytest.mark.parametrize(
    ("text", "word", "current", "expected"),
    [
        ("github", "--format=gi", "gi", "github"),
        ("github", "--format=", "=", "github"),
        ("github", "--format=gi", "--format=gi", "--format=github"),  # COMP_WORDBREAKS has no equals sign
        ("a:bc=", "a:b", "b", "bc="),
        ("convert", "co", "co", "convert"),
        (":files", "--out=x", "x", ":files"),
    ],
)
def test_bash_gets_the_end_of_a_word_that_it_breaks(text, word, current, expected):
    assert _after_break(text, word, current) == expected


def test_a_shell_without_a_script(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["completion", "fsh"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "usage: SHELL is 'fsh'; expected bash or zsh or fish\n    hint: did you mean 'fish'?\n"
    )


def test_the_help_says_where_the_script_goes(capsys):
    with pytest.raises(SystemExit):
        cli.main(["completion", "--help"])
    page = capsys.readouterr().out
    assert page.startswith("usage: tonearm completion [OPTIONS] SHELL\n")
    assert "WORD" not in page
    assert "~/.bashrc" in page
