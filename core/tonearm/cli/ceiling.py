"""The ceiling of commands that work in one process: what ``convert``, ``inspect`` and a run tell whoever watches them.

That is the parent of this process (`tonearm.cli.watcher`), which holds the signals and the time. Where there is no
fork, or where threads run already, it is a thread. It needs the interpreter now and then.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from tonearm import startup
from tonearm.cli import console, watcher
from tonearm.cli.watched_work import WatchedWork
from tonearm.descendants import kill_descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import NoReturn, Protocol

    class Watch(Protocol):
        """What a command tells the watcher."""

        def begin(self, work: WatchedWork) -> None:
            """Report which work begins; this is a sign of life."""

        def alive(self, *_: object) -> None:
            """Give a sign of life. Call it as often as you like."""

        def leave(self) -> None:
            """End this process if another one can continue the work."""


INTERVAL = 0.05
"""Seconds between two signs of life that reach the watcher."""

MAX_WAIT = 86_400.0
"""Seconds that the thread waits at once."""


def add_timeout_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--timeout``."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=watcher.TIMEOUT,
        metavar="S",
        help="Seconds without a sign of life after which the command gives up; 0 for no limit (default: 600)",
    )


def _seconds(text: str) -> float:
    """Return a number of seconds that is not negative."""
    import argparse

    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 0 <= seconds < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds; 0 is no limit")


class _Pipe:
    """The child's end of the pipe to the process that watches it."""

    def __init__(self) -> None:
        self._next = 0.0

    def begin(self, work: WatchedWork) -> None:
        """Report which work begins."""
        self._send(work.encode())

    def alive(self, *_: object) -> None:
        """Give a sign of life, unless the last one was just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self._send(b"\n")

    def leave(self) -> NoReturn:
        """End this process, so that another one continues the work: a plugin has closed its files."""
        kill_descendants(os.getpid())
        os._exit(console.OUTPUT)

    def _send(self, line: bytes) -> None:
        try:
            watcher.tell(line)
        except BlockingIOError:  # the watcher is stopped, and has signs of life enough
            return
        except BrokenPipeError:  # the watcher was killed, and nobody would stop this process any more
            os._exit(console.BUG)
        except OSError:  # a plugin has closed the descriptor, and it cannot be opened again
            return


class _Watchdog:
    """A thread that ends this process if there is no sign of life."""

    def __init__(self) -> None:
        import threading

        self._work = WatchedWork("", 0)
        self._last = time.monotonic()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tonearm-ceiling", daemon=True)
        self._stopped = False

    def begin(self, work: WatchedWork) -> None:
        """Report which work begins."""
        self._last, self._work = time.monotonic(), work
        if not self._thread.is_alive():
            self._thread.start()
        self._changed.set()

    def alive(self, *_: object) -> None:
        """Give a sign of life."""
        self._last = time.monotonic()

    def leave(self) -> None:
        """Do nothing: there is no other process."""

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopped:
            work = self._work
            left = self._last + work.timeout - time.monotonic() if work.timeout else None
            if left is not None and left <= 0:
                from tonearm.run.store.temporaries import discard_without_owner

                discard_without_owner()
                startup.exit_at_once(work.time_out())
            if self._changed.wait(None if left is None else min(left, MAX_WAIT)):
                self._changed.clear()


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Give the watcher of this process: its parent, or else a thread that ends with the context."""
    if watcher.pipe is not None:
        startup.die_with_parent(watcher.parent)
        yield _Pipe()
        return
    watchdog = _Watchdog()
    try:
        yield watchdog
    finally:
        watchdog.stop()
