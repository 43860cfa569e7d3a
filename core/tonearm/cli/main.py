"""The entry point: from the start of the program to a command."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WATCHED = ("convert", "inspect")
"""Commands that always work in a child of the process. It forks before anything else is imported, even here."""


def program() -> int:
    """Run the command line as the whole of this process, and return the exit status as `main` does."""
    if is_watched(sys.argv[1:]):
        from tonearm.cli import watcher

        watcher.fork()
    from tonearm import startup
    from tonearm.cli import console

    console.claim_stdout()
    startup.collect_garbage_rarely()
    status = console.BUG
    try:
        status = main()
    except SystemExit as exited:  # argparse
        status = exited.code if isinstance(exited.code, int) else console.DONE
        raise
    finally:
        startup.skip_last_collection()
        if sys.argv[1:2] != ["check"]:
            from tonearm.descendants import kill_descendants

            kill_descendants(os.getpid())
        if is_watched(sys.argv[1:]):
            watcher.report_end(status)
    if sys.argv[1:2] == ["check"]:
        startup.exit_at_once(status)
    return status


def is_watched(words: list[str]) -> bool:
    """Return whether a command works in a child of the process, which its parent watches.

    A run without worker processes does. A list of sources on stdin cannot be read again by another child.
    """
    if not words or words[0] != "run":
        return bool(words) and words[0] in WATCHED
    if "-" in words or any(word.startswith(("--executor", "--dry-run")) for word in words):
        return False
    return "--jobs=0" in words or any(words[place : place + 2] == ["--jobs", "0"] for place in range(len(words)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    The exit status is 0 for success, 1 for a bug in tonearm, 2 for a mistake in the command or the pipeline, 3 if some
    items failed, 4 if outputs cannot be written, 11 if another run holds the output folder, and 128 plus the number of
    the signal that stopped the command: 130 for Ctrl-C, 143 for SIGTERM.
    """
    from tonearm.cli import console

    arguments = list(sys.argv[1:] if argv is None else argv)
    console.prepare_streams()
    return console.run_guarded(lambda: _main(arguments), debug="--debug" in arguments)


def _main(arguments: list[str]) -> int:
    """Import the module of the command and run it."""
    import importlib
    from types import SimpleNamespace

    from tonearm import startup
    from tonearm.cli.commands import COMMANDS

    command = next((word for word in arguments if not word.startswith("-")), None)
    watcher = sys.modules.get("tonearm.cli.watcher")
    if watcher is not None and watcher.pipe is not None:
        watcher.handle_signals()
    if command in COMMANDS:
        startup.let_blas_threads_sleep(os.environ)
        startup.import_msgspec_alone()
        if command in ("check", "run", "convert"):
            startup.import_yaml_parser_alone()
    if command == "check" and len(arguments) > 1 and not any(word.startswith("-") for word in arguments):
        # Editors and commit hooks call this all day. There is nothing to parse, and argparse would take a tenth of it.
        parsed = SimpleNamespace(command=command, pipelines=arguments[1:], overrides=[], limits=[], env=[], debug=False)
    else:
        from tonearm.cli.parser import parse

        parsed = parse(arguments, command)
    status: int = importlib.import_module(f"tonearm.cli.{parsed.command}").main(parsed)
    return status
