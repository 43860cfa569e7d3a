"""The entry point: from the start of the program to a command."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    flags = [flag for place, word in enumerate(words) for flag in _run_flags(word, words[place + 1 : place + 2])]
    return (
        "-" not in words and "jobs=0" in flags and not any(flag.startswith(("executor", "dry-run")) for flag in flags)
    )


def _run_flags(word: str, following: list[str]) -> Iterator[str]:
    """Yield the flags of a run in a word that decide whether it is watched, as in ``-nj0`` and ``--jobs 0``."""
    if word.startswith("--"):
        name, _, value = word[2:].partition("=")
        yield f"jobs={value or ''.join(following)}" if name == "jobs" else name
        return
    for place, letter in enumerate(word[1:] if word.startswith("-") else "", 2):
        if letter == "j":
            yield f"jobs={word[place:].removeprefix('=') or ''.join(following)}"
        if letter in "jo":  # the rest is their value
            return
        yield {"n": "dry-run"}.get(letter, letter)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    The exit status is 0 for success, 1 for a bug in tonearm, 2 for a mistake in the command or the pipeline, 3 if some
    items failed, 4 if outputs cannot be written, 11 if another run holds the output folder, and 128 plus the number of
    the signal that stopped the command: 130 for Ctrl-C, 143 for SIGTERM.
    """
    from tonearm.cli import console, styles

    arguments = list(sys.argv[1:] if argv is None else argv)
    console.prepare_streams()
    styles.choose(arguments)
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
    if command == "check" and len(arguments) > 1 and not any(word[:1] == "-" or "://" in word for word in arguments):
        # Editors and commit hooks call this all day. There is nothing to parse, and argparse would take a tenth of it.
        parsed = SimpleNamespace(
            command=command, pipelines=arguments[1:], overrides=[], limits=[], env=[], format="text"
        )
    else:
        from tonearm.cli.parser import parse

        parsed = parse(arguments, command)
    status: int = importlib.import_module(f"tonearm.cli.{parsed.command}").main(parsed)
    return status
