"""What the command line can say, by argparse."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from types import SimpleNamespace

from tonearm.cli import console
from tonearm.cli.commands import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def parse(arguments: Sequence[str], command: str | None) -> SimpleNamespace:
    """Return what the command line says; it ends the program for ``--help``, ``--version`` and mistakes.

    Only the command at hand is told what it takes, so that the others cost nothing.

    Parameters
    ----------
    arguments
        What follows the program's name.
    command
        The first of them that is no option.
    """
    if command in COMMANDS and arguments[0] == command:
        text = COMMANDS[command]
        parser = _Parser(
            formatter_class=_Formatter, prog=f"tonearm {command}", description=f"{text[0].upper()}{text[1:]}."
        )
        parser.add_argument("--debug", action="store_true", help="show tracebacks")
        importlib.import_module(f"tonearm.cli.{command}").add_arguments(parser)
        # Intermixed: sources may stand before options and after them.
        return parser.parse_intermixed_args(arguments[1:], SimpleNamespace(command=command))
    parser = _Parser(
        formatter_class=_Formatter,
        prog="tonearm",
        description="Turns what machine-learning models write into audio that people can hear.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in COMMANDS.items():
        subparsers.add_parser(name, help=text, formatter_class=_Formatter)
    parsed = parser.parse_args(arguments, SimpleNamespace())
    if parsed.command is None:
        parser.print_help()
        parser.exit()
    return parsed


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal, measured without shutil, which costs as much as argparse itself."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except (OSError, ValueError):
            width = 80
        super().__init__(prog, width=max(width, 40) - 2)


class _Parser(argparse.ArgumentParser):
    """A parser that says what to do about a mistake."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and where help is, and exit with 2."""
        console.print_message(f"usage: {message}\n    hint: {self.prog} --help")
        raise SystemExit(console.USAGE)


class _Version(argparse.Action):
    """Print the version, which is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from tonearm.version import __version__

        print(f"tonearm {__version__}")
        parser.exit()
