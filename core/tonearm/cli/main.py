"""The way from the program's start to a command."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from types import SimpleNamespace

from tonearm import startup
from tonearm.cli import console
from tonearm.cli.commands import COMMANDS


def program() -> int:
    """Run the command line as a process of its own, and return its exit status, as `main` does."""
    startup.collect_garbage_rarely()
    try:
        return main()
    finally:
        startup.skip_last_collection()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0 done; 1 a bug of tonearm; 2 the command or the pipeline is wrong; 3 some items failed; 4 the output side failed;
    11 another run holds the folder; 130 and 143 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    console.survive_odd_streams()
    return console.guarded(lambda: _main(arguments), debug="--debug" in arguments)


def _main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    command = next((word for word in arguments if not word.startswith("-")), None)
    if command in COMMANDS:
        startup.let_blas_threads_sleep(os.environ)
        startup.import_msgspec_alone()
    if command == "check" and len(arguments) > 1 and not any(word.startswith("-") for word in arguments):
        # Editors and commit hooks call this all day: there is nothing to parse, and argparse would be a tenth of it.
        parsed = SimpleNamespace(command=command, pipelines=arguments[1:], overrides=[], debug=False)
    else:
        from tonearm.cli.parser import parse

        parsed = parse(arguments, command)
    status: int = importlib.import_module(f"tonearm.cli.{parsed.command}").main(parsed)
    return status
