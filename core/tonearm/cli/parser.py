"""The parser of the command line."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

from tonearm.cli import console
from tonearm.cli.commands import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


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
        parser = _Parser(prog=f"tonearm {command}", description=f"{COMMANDS[command]}.")
        importlib.import_module(f"tonearm.cli.{command}").add_arguments(parser)
        parser.add_argument("--debug", action="store_true", help="Show the traceback of errors")
        parser.shorten_usage()
        # Intermixed: sources may stand before options and after them.
        return parser.parse_intermixed_args(arguments[1:], SimpleNamespace(command=command))
    parser = _Parser(
        prog="tonearm",
        description="Turns what machine-learning models write into audio that people can hear.",
        epilog="tonearm COMMAND --help shows the options of a command.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="Show the version")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="Commands")
    for name, text in COMMANDS.items():
        subparsers.add_parser(name, help=text)
    parser.shorten_usage()
    if command is not None and command not in COMMANDS and arguments[0] == command:
        from tonearm.errors import did_you_mean, one_line

        parser.error(f"there is no command {one_line(command)!r}", did_you_mean(command, COMMANDS))
    parsed = parser.parse_args(arguments, SimpleNamespace())
    if parsed.command is None:
        parser.print_help()
        parser.exit()
    return parsed


def add_limit_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--limit``, which several commands take."""
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="limits",
        help="Limit of the sources, as in memory=4GB; a pipeline can have them under limits",
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
    """Formatter of help as wide as the terminal, measured without shutil, which costs as much as argparse itself."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except (OSError, ValueError):
            width = 80
        super().__init__(prog, width=max(width, 40) - 2)

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


class _Parser(argparse.ArgumentParser):
    """Parser whose help and messages read like the rest of the program's."""

    def __init__(self, prog: str, description: str | None = None, epilog: str | None = None) -> None:
        super().__init__(prog, None, description, epilog, formatter_class=_Formatter, add_help=False)
        self._positionals.title = "Arguments"
        self._optionals.title = "Options"
        self.add_argument("-h", "--help", action="help", help="Show this help")

    def shorten_usage(self) -> None:
        """Name the arguments only in the usage; the options are listed below it."""
        forms = {"?": "[{}]", "*": "[{} ...]", "+": "{} ...", argparse.PARSER: "{} ..."}
        names = (forms.get(str(action.nargs), "{}").format(action.metavar) for action in self._get_positional_actions())
        self.usage = " ".join((self.prog, "[OPTIONS]", *names))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help on stdout, which is kept for the command's own output."""
        super()._print_message(message, console.data() if file is sys.stdout else file)

    def error(self, message: str, hint: str = "") -> NoReturn:
        """Print the mistake with a similar option or where to find help, and exit with 2."""
        unknown = message.partition("unrecognized arguments: ")[2].split()
        hint = hint or next(filter(None, map(self._similar_option, unknown)), f"{self.prog} --help")
        console.print_message(f"usage: {message}\n    hint: {hint}")
        raise SystemExit(console.USAGE)

    def _similar_option(self, word: str) -> str:
        """Return ``did you mean '--x'?`` for a word that looks like an option of the command; else an empty text."""
        from tonearm.errors.text import nearest

        known = [option[2:] for option in self._option_string_actions if option.startswith("--")]
        near = nearest(word[2:].partition("=")[0], known) if word.startswith("--") else None
        return f"did you mean '--{near}'?" if near else ""


class _Version(argparse.Action):
    """Action that prints the version, which is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from tonearm.version import __version__

        console.print_data(f"tonearm {__version__}")
        parser.exit()
