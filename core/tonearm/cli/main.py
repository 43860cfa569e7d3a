"""The entry point: from the start of the program to a command."""

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
    """Run the command line as the whole of this process, and return the exit status as `main` does."""
    startup.collect_garbage_rarely()
    try:
        status = main()
    finally:
        startup.skip_last_collection()
    if sys.argv[1:2] == ["check"]:
        startup.exit_at_once(status)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    The exit status is 0 for success, 1 for a bug in tonearm, 2 for a mistake in the command or the pipeline, 3 if some
    items failed, 4 if outputs cannot be written, 11 if another run holds the output folder, and 128 plus the number of
    the signal that stopped the command: 130 for Ctrl-C, 143 for SIGTERM.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    console.prepare_streams()
    return console.run_guarded(lambda: _main(arguments, whole=argv is None), debug="--debug" in arguments)


def _main(arguments: list[str], *, whole: bool) -> int:
    """Import the module of the command and run it. ``whole`` tells whether it has the process for itself."""
    command = next((word for word in arguments if not word.startswith("-")), None)
    if whole and command in ("convert", "inspect"):
        from tonearm.cli import ceiling

        ceiling.fork()
    if command in COMMANDS:
        startup.let_blas_threads_sleep(os.environ)
        startup.import_msgspec_alone()
    if command == "check" and len(arguments) > 1 and not any(word.startswith("-") for word in arguments):
        # Editors and commit hooks call this all day. There is nothing to parse, and argparse would take a tenth of it.
        parsed = SimpleNamespace(command=command, pipelines=arguments[1:], overrides=[], debug=False)
    else:
        from tonearm.cli.parser import parse

        parsed = parse(arguments, command)
    status: int = importlib.import_module(f"tonearm.cli.{parsed.command}").main(parsed)
    return status
