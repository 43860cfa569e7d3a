"""The command line: one file a command, and nothing imports it."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from tonearm.cli import console

COMMANDS = {
    "run": "convert files as a pipeline says",
    "check": "report every problem of a pipeline before any data is read",
    "convert": "convert one file with no YAML",
    "plugins": "list plugins, or one plugin's options",
    "schema": "print the JSON Schema of pipelines, for completion in editors",
}
"""Each command is a module of its name here, with ``add_arguments(parser)`` and ``main(arguments) -> int``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0 done; 1 a bug of tonearm; 2 the command or the pipeline is wrong; 3 some items failed; 4 the output side failed;
    11 another run holds the folder; 130 and 143 interrupted.
    """
    # Start-up makes no garbage worth collecting, and a run's arrays are not the collector's to find.
    gc.set_threshold(500_000, 20, 100)
    arguments = list(sys.argv[1:] if argv is None else argv)
    console.survive_odd_streams()
    command = next((word for word in arguments if not word.startswith("-")), None)
    if command in COMMANDS:
        _import_msgspec_alone()
    parser = _parser(command)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return 0
    module = importlib.import_module(f"tonearm.cli.{parsed.command}")
    return console.guarded(lambda: module.main(parsed), debug=parsed.debug)


def _import_msgspec_alone() -> None:
    """Import msgspec without typing_extensions, which it does not need here.

    It asks for it and does without where it is missing. From Python 3.11 on, `typing` has all that it takes from there,
    and importing it would cost a tenth of ``tonearm check``.
    """
    if "typing_extensions" not in sys.modules:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("msgspec")
        finally:
            del sys.modules["typing_extensions"]


def _parser(command: str | None) -> _Parser:
    """Return the parser; only the command at hand is told what it takes, so that the others cost nothing."""
    parser = _Parser(
        formatter_class=_Formatter,
        prog="tonearm",
        description="Turns what machine-learning models write into audio that people can hear.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in COMMANDS.items() if command not in COMMANDS else [(command, COMMANDS[command])]:
        subparser = subparsers.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=_Formatter
        )
        subparser.add_argument("--debug", action="store_true", help="show tracebacks")
        if name == command:
            importlib.import_module(f"tonearm.cli.{name}").add_arguments(subparser)
    return parser


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
        self.exit(console.USAGE, f"usage: {message}\n    hint: {self.prog} --help\n")


class _Version(argparse.Action):
    """Print the version, which is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from tonearm.version import __version__

        print(f"tonearm {__version__}")
        parser.exit()
