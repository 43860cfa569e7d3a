"""The command line: one file a command, and nothing imports it."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from types import SimpleNamespace

from tonearm.cli import console
from tonearm.cli.commands import COMMANDS


def program() -> int:
    """Run the command line as a process of its own, and return its exit status, as `main` does."""
    # Start-up makes no garbage worth collecting, and a run's arrays are not the collector's to find.
    gc.set_threshold(500_000, 20, 100)
    try:
        return main()
    finally:
        # What ends with the process need not be searched for garbage first, which would take a fifth of `check`.
        gc.freeze()


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
        from tonearm.run.workers.cores import let_threads_rest

        let_threads_rest(os.environ)  # of whatever is imported from here on
        _import_msgspec_alone()
    if command == "check" and len(arguments) > 1 and not any(word.startswith("-") for word in arguments):
        # What editors and commit hooks call all the time: nothing to parse, and argparse would be a tenth of it.
        parsed = SimpleNamespace(command=command, pipelines=arguments[1:], overrides=[], debug=False)
    else:
        from tonearm.cli.parser import parse

        parsed = parse(arguments, command)
    status: int = importlib.import_module(f"tonearm.cli.{parsed.command}").main(parsed)
    return status


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
