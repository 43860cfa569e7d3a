"""What commands share: messages on stderr, exit statuses, and no traceback for a user's mistake."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator

from tonearm.startup import SIGNALLED, Terminated, ignore_stop_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import TextIO

    from tonearm.errors import Problem
    from tonearm.plugins.registry import Registry

DONE, BUG, USAGE, SOME_FAILED, OUTPUT, LOCKED = 0, 1, 2, 3, 4, 11

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


_STATUSES = {"locked": LOCKED, "bug": BUG, "broken-worker": OUTPUT}


def survive_odd_streams() -> None:
    """Let no name that cannot be encoded raise on the way to a terminal, and no stream that is closed be missed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


_log: TextIO | None = None


@contextlib.contextmanager
def logged(name: str | None) -> Iterator[None]:
    """Append all that is said to a file, too."""
    global _log
    if name is None:
        yield
        return
    from tonearm.errors import OutputError, one_line

    try:
        file = open(name, "a", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: PTH123, SIM115
    except OSError as error:
        raise OutputError(f"cannot write {one_line(name)}: {(error.strerror or str(error)).lower()}") from error
    _log = file
    try:
        yield
    finally:
        _log = None
        with contextlib.suppress(OSError):  # what the disk had no room for, it has none for now
            file.close()


def log(text: object) -> None:
    """Write to the log file, if there is one, with the time; a full disk there is no reason to fail."""
    if _log is not None:
        import time

        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        with contextlib.suppress(OSError, ValueError):
            _log.writelines(f"{stamp} {line}\n" for line in str(text).splitlines())


def say(text: object) -> None:
    """Print for people, on stderr; where nobody can hear it, that is no reason to fail."""
    log(text)
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        forget(sys.stderr)


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{seconds / 60:.1f} min"


def is_terminal(stream: TextIO) -> bool:
    """Say whether somebody is looking."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def guarded(command: Callable[[], int], *, debug: bool) -> int:
    """Run a command; return its exit status, or that of what went wrong, after saying it."""
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        return stopped_by(interrupt)
    except BrokenPipeError:
        # Whoever read our output has left (tonearm plugins | head): no error.
        forget(sys.stdout)
        return DONE
    except Exception as error:
        if debug:
            _show_traceback()
        return _said(error)


def stopped_by(interrupt: KeyboardInterrupt) -> int:
    """Say that somebody stopped us, and return the exit status of that; whoever does so again changes nothing."""
    ignore_stop_signals()
    if isinstance(interrupt, Terminated):
        say("terminated" if interrupt.number == 15 else "the terminal is gone")
        return SIGNALLED + interrupt.number
    say("interrupted")
    return SIGNALLED + 2


def _said(error: Exception) -> int:
    """Say what went wrong, and return the exit status that it stands for."""
    from tonearm.errors import TonearmError

    if isinstance(error, TonearmError):
        say(error if hasattr(error, "problems") else error.problem)
        return status_of(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        forget(sys.stdout)
        say(f"output: cannot write: {str(error.strerror).lower()}")
        return OUTPUT
    say(f"bug: {type(error).__name__}: {error}\n    hint: this is a mistake in tonearm; --debug shows where")
    return BUG


def forget(stream: TextIO) -> None:
    """Let Python not complain at its exit about what could not be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _show_traceback() -> None:
    import traceback

    with contextlib.suppress(BrokenPipeError, ValueError):
        traceback.print_exc()


def status_of(error: Exception) -> int:
    """Return the exit status that an error stands for."""
    from tonearm.errors import ItemError, OutputError

    code = getattr(error, "code", "")
    if code in _STATUSES:
        return _STATUSES[code]
    if isinstance(error, OutputError):
        return OUTPUT
    return SOME_FAILED if isinstance(error, ItemError) else USAGE


def warn_of(problems: Iterable[Problem]) -> None:
    """Say what was set aside."""
    for problem in problems:
        say(f"warning: {problem}")


def registry() -> Registry:
    """Return the plugins that are installed, after saying which packages were set aside."""
    from tonearm.plugins import registry as room

    found = room.default()
    warn_of(found.problems)
    return found


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``, which several commands take."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override one value, as in steps.1.with.iterations=60; steps and outputs count from 0",
    )
