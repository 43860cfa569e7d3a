"""The parser of the command line."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace

from tonearm.cli import console, styles
from tonearm.cli.commands import COMMANDS
from tonearm.cli.wrapping import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


INPUTS = ("FILE", "SRC", "PIPELINE", "SOURCE")
OUTPUTS = ("DST", "DIR")
"""Names that arguments have in the help if they name files to read, and files or folders to write."""

_MARK = "\0"
"""Mark of a word after ``--``."""


_MEANT = {"help": "--help", "version": "--version"}
"""Flags that are commands of other programs."""

_VALUE_TYPES = {"int": "a whole number", "float": "a number"}

_STREAMED = {"log_file": "/dev/"}
"""Names of arguments that are written and may be streams, with the beginning of the names of those."""

_PIPED = ("source", "target", "files")
"""Names of arguments that may be a stream if they have one value."""


def parse(arguments: Sequence[str], command: str | None) -> SimpleNamespace:
    """Return the parsed command line; the program ends here for ``--help``, ``--version`` and mistakes.

    Only the module of the given command is imported, so that the other commands cost nothing.

    Parameters
    ----------
    arguments
        Words after the program's name.
    command
        First of them that is no option.
    """
    if command in COMMANDS and arguments[0] == command:
        return _command_parser(command).parse_words(arguments[1:], SimpleNamespace(command=command))
    parser = main_parser()
    if command is not None and command not in COMMANDS and arguments[0] == command:
        from tonearm.errors import did_you_mean, one_line

        hint = _whole_command(arguments) or did_you_mean(command, COMMANDS)
        parser.error(f"there is no command {one_line(command)!r}", hint)
    parsed = parser.parse_args(arguments, SimpleNamespace())
    if parsed.command is None:
        parser.print_help()
        parser.exit()
    return parsed


def _whole_command(words: Sequence[str]) -> str:
    """Return the command line that was meant if its first word is a file; an empty text if it is none."""
    if words[0] in _MEANT:
        return f"tonearm {_MEANT[words[0]]}"
    if not os.path.lexists(words[0]):
        return ""
    from shlex import join

    is_pipeline = words[0].lower().endswith((".yaml", ".yml"))
    names = [word for word in words if not word.startswith("-")]
    command = "run" if is_pipeline else "convert" if len(names) == 2 else "inspect"
    return f"did you mean {join(['tonearm', command, *words])}?"


def main_parser() -> CommandParser:
    """Return the parser of a command line that names no command."""
    parser = CommandParser(
        prog="tonearm",
        description="Turns what machine-learning models write into audio that people can hear.",
        epilog="tonearm COMMAND --help shows the options of a command.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="Show the version")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="Commands")
    for name, text in COMMANDS.items():
        subparsers.add_parser(name, help=text)
    parser.shorten_usage()
    return parser


def command_parser(command: str) -> CommandParser:
    """Return the parser of a command, with all its options."""
    parser = _command_parser(command)
    parser.add_later_options()
    return parser


def _command_parser(command: str) -> CommandParser:
    """Return the parser of a command, without the options that are added when a command line needs them."""
    parser = CommandParser(prog=f"tonearm {command}", description=f"{COMMANDS[command]}.")
    importlib.import_module(f"tonearm.cli.{command}").add_arguments(parser)
    parser.add_argument(
        "--color",
        choices=styles.CHOICES,
        default="auto",
        help="When to use colours: on a terminal that has them, always, or never (default: auto)",
    )
    parser.add_argument(
        "--debug", action="store_true", help="Show the traceback of errors, and which engine works and why"
    )
    parser.shorten_usage()
    return parser


def add_limit_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--limit``, which several commands take."""
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="limits",
        help="Limit, as in memory=4GB or beyond=8; a pipeline can have them under limits",
    )


def add_strict_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--strict``, which the commands that convert take: it is the limit ``strict``."""
    parser.add_argument(
        "--strict",
        action="append_const",
        const="strict=true",
        dest="limits",
        help="Refuse what the limits would warn about: clipped, very quiet or silent sound, and doubtful recipes",
    )


def add_env_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--env``, which the commands that read pipelines take."""
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME",
        help="Environment variable that the pipeline may read anywhere, and not only in sources and names of files",
    )


def add_download_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--download``, which the commands that convert take."""
    parser.add_argument(
        "--download",
        action="store_true",
        help="Download models that a step names and the cache of their hub has not got; without it, nothing is"
        " downloaded",
    )


def add_set_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--set`` and ``--limit``, which several commands take."""
    add_limit_option(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="Override of one value of the pipeline, as in steps.1.with.iterations=60; steps and outputs count from 0",
    )


class _Formatter(argparse.HelpFormatter):
    """Formatter of help as wide as the terminal."""

    def __init__(self, prog: str) -> None:
        width = styles.terminal_width(console.data()) or 80
        super().__init__(prog, max_help_position=24 if width >= 72 else 8, width=width - 2)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(wrap(" ".join(text.split()), width, indent))

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """Return the flags of an option with its value named once: ``-o, --out DIR``."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"

    def _format_action(self, action: argparse.Action) -> str:
        """Return the help of an action; commands stand directly below their title."""
        if action.nargs == argparse.PARSER:
            return "".join(map(self._format_action, self._iter_commands(action)))
        return super()._format_action(action)

    def _iter_commands(self, action: argparse.Action) -> Iterator[argparse.Action]:
        for command in self._iter_indented_subactions(action):
            self._dedent()
            yield command
            self._indent()


class CommandParser(argparse.ArgumentParser):
    """Parser whose help and messages read like the rest of the program's."""

    def __init__(self, prog: str, description: str | None = None, epilog: str | None = None) -> None:
        super().__init__(prog, None, description, epilog, formatter_class=_Formatter, add_help=False)
        self._words: list[str] = []
        self._later: list[Callable[[Sequence[str]], object]] = []
        self.color = False  # Python 3.14 would use its own colours, and measure words with them
        self._positionals.title = "Arguments"
        self._optionals.title = "Options"
        self.add_argument("-h", "--help", action="help", help="Show this help")

    def add_later(self, *stages: Callable[[Sequence[str]], object]) -> None:
        """Have functions add options that are costly to know, one after the other while a flag has no known name.

        Parameters
        ----------
        stages
            Functions that are given the words of the command line. The last one adds all that there are, for help, too.
        """
        self._later = list(stages)

    def add_later_options(self) -> None:
        """Add all options that have been left for later."""
        for add in self._later[-1:]:
            add(())
        self._later = []

    def _add_missing_options(self) -> None:
        """Add the options that have been left for later, if the words have flags of them."""
        end = self._words.index("--") if "--" in self._words else len(self._words)
        names = {word.partition("=")[0] for word in self._words[:end] if word.startswith("-") and word != "-"}
        if not names.isdisjoint(("-h", "--help")):
            self.add_later_options()
        for add in self._later:
            if not names.issubset(self._option_string_actions):
                add(self._words[:end])

    def parse_words(self, words: Sequence[str], namespace: SimpleNamespace) -> SimpleNamespace:
        """Return the parsed words of a command; sources may stand before options and after them.

        All words after ``--`` are names, also if they begin with a dash. argparse has forgotten that when it parses the
        sources, so these words carry a mark, which no word of a command line can have.
        """
        self._words = list(words)
        self._add_missing_options()
        if "--" in self._words:
            end = self._words.index("--")
            self._words[end:] = [f"{_MARK}{word}" for word in self._words[end + 1 :]]
        parsed = self.parse_intermixed_args(self._words, namespace)
        for name, value in vars(parsed).items():
            setattr(parsed, name, _unmarked(value))
        self._check_names(parsed)
        return parsed

    def _check_names(self, parsed: SimpleNamespace) -> None:
        """Refuse names of files that are empty, addresses or streams; a list of sources and a log can be streams."""
        for action in self._actions:
            value = getattr(parsed, action.dest, None)
            for name in value if isinstance(value, list) else [value]:
                if not isinstance(name, str) or action.metavar not in (*INPUTS, *OUTPUTS):
                    continue
                if not name:
                    flag = "/".join(action.option_strings) or action.metavar
                    self.error(f"{flag} is an empty name", "a variable of the shell may be unset")
                if (action.dest, name) != ("listed", "-") and not name.startswith(_STREAMED.get(action.dest, "\0")):
                    from tonearm.addresses import refuse_address

                    refuse_address(
                        name,
                        written=action.metavar in OUTPUTS or action.dest in _STREAMED,
                        streams=action.dest in _PIPED and (not isinstance(value, list) or len(value) == 1),
                    )

    def shorten_usage(self) -> None:
        """Name the arguments only in the usage; the options are listed below it."""
        forms = {"?": "[{}]", "*": "[{} ...]", "+": "{} ...", argparse.PARSER: "{} ..."}
        shown = [action for action in self._get_positional_actions() if action.help != argparse.SUPPRESS]
        names = (forms.get(str(action.nargs), "{}").format(action.metavar) for action in shown)
        usage = " ".join((self.prog, "[OPTIONS]", *names)).split()
        width = styles.terminal_width(console.data()) or 80
        self.usage = "\n".join(wrap(" ".join(usage), width - len("usage: "), "", " " * len("usage: ")))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help on stdout, which is kept for the command's own output."""
        stream = console.data() if file is sys.stdout else file
        super()._print_message(styles.paint_help(message) if styles.has_color(stream) else message, stream)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is not among the choices of an option, with the nearest of them as the hint."""
        if action.choices is not None and value not in action.choices:
            from tonearm.errors import did_you_mean, one_line

            choices = list(map(str, action.choices))
            flag = "/".join(action.option_strings) or action.metavar
            near = did_you_mean(value, choices)
            self.error(f"{flag} is {one_line(repr(value))}; expected {' or '.join(choices)}", near)

    def error(self, message: str, hint: str = "") -> NoReturn:
        """Print the mistake with a similar option or where to find help, and exit with 2."""
        message = _in_our_words(message.replace(_MARK, ""))
        unknown = message.partition("unrecognized arguments: ")[2].split()
        hints: Iterable[str] = (
            *map(self._similar_option, unknown),
            *map(_other_name, self._words),
            f"{self.prog} --help",
        )
        names = [word for word in unknown if not word.startswith("-")]
        if unknown and unknown == names and any(action.metavar == "DST" for action in self._get_positional_actions()):
            hints = ("one command converts one SRC to one DST; tonearm run converts many files",)
        hint = hint or next(filter(None, hints))
        console.print_message(f"usage: {message}\n    hint: {hint}")
        raise SystemExit(console.USAGE)

    def _similar_option(self, word: str) -> str:
        """Return ``did you mean '--x'?`` for a word that looks like an option of the command; else an empty text."""
        from tonearm.errors.text import nearest

        if not word.startswith("-") or not word.strip("-"):
            return ""
        name = word.lstrip("-").partition("=")[0]
        if name in ("v", "version"):
            return "tonearm --version"
        places = [action.metavar for action in self._get_positional_actions()]
        if "DST" in places and (name == "o" or nearest(name, ["out"])):
            return f"DST is the second name: {self.prog} {' '.join(map(str, places))}"
        known = [option[2:] for option in self._option_string_actions if option.startswith("--")]
        near = nearest(name, known)
        return f"did you mean '--{near}'?" if near else ""


def _in_our_words(message: str) -> str:
    """Return a message of argparse about the value of an option in the words of other messages."""
    wrong = re.fullmatch(r"argument (\S+): invalid (\w+) value: (.*)", message, re.DOTALL)
    if wrong:
        return f"{wrong[1]} is {wrong[3]}; expected {_VALUE_TYPES.get(wrong[2], wrong[2])}"
    message = re.sub(r"^argument (\S+): expected one argument$", r"\1 needs a value", message)
    message = re.sub(r"^argument (\S+): ignored explicit argument .*", r"\1 takes no value", message)
    return re.sub(r"^argument (\S+): not allowed with argument (\S+)$", r"\1 and \2 exclude each other", message)


def _unmarked(value: Any) -> Any:
    """Return a value of the parser without the marks of names after ``--``."""
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    return value.removeprefix(_MARK) if isinstance(value, str) else value


def _other_name(word: str) -> str:
    """Return how to write the name of a file that looks like an option; an empty text if there is no such file."""
    is_file = word.startswith("-") and os.path.lexists(word)
    return f"write ./{word} for the file of this name" if is_file else ""


class _Version(argparse.Action):
    """Action that prints the version, which is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from tonearm.version import __version__

        console.print_data(f"tonearm {__version__}")
        parser.exit()
