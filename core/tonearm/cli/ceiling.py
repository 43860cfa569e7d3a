"""The ceiling of ``convert`` and ``inspect``: one process works, and another one watches it.

A library that hangs may hold the interpreter, and then neither a handler of a signal runs nor a thread. So the process
forks once, before anything heavy is imported. The child works: it reads, prints and ends as the process would without a
ceiling. The parent holds the signals and the time. It kills the child after a second signal, or if the child has given
no sign of life for too long, and it gives the exit status.

Where there is no fork, or where threads run already, a thread watches instead. It needs the interpreter now and then.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

from tonearm import startup
from tonearm.cli import console

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import NoReturn, Protocol

    class Watch(Protocol):
        """What a command tells the watcher."""

        def begin(self, work: Work) -> None:
            """Report which work begins; this is a sign of life."""

        def alive(self, *_: object) -> None:
            """Give a sign of life. Call it as often as you like."""


TIMEOUT = 600.0
"""Seconds without a sign of life after which the work is given up."""

STOP_TIMEOUT = 5.0
"""Seconds that the work has to end after the first signal."""

INTERVAL = 0.05
"""Seconds between two signs of life that reach the watcher."""

MAX_WAIT = 86_400.0
"""Seconds that the watcher waits at once, since the system counts milliseconds in 32 bits."""


class Work:
    """What a command is doing, as far as the watcher must know.

    Parameters
    ----------
    file
        Name of the source, for the message.
    timeout
        Seconds without a sign of life that are too many; 0 for no limit.
    folder
        Folder in which the work may leave temporaries; None for none.
    as_json
        Whether the message is also printed as a JSON object on stdout.
    """

    __slots__ = ("as_json", "file", "folder", "timeout")

    def __init__(
        self, file: str = "", timeout: float = TIMEOUT, *, folder: str | None = None, as_json: bool = False
    ) -> None:
        self.file, self.timeout, self.folder, self.as_json = file, timeout, folder, as_json

    def encode(self) -> bytes:
        """Return the work as one line. Names may hold any byte, so they are in hex."""
        folder = "-" if self.folder is None else os.fsencode(self.folder).hex()
        return f"{self.timeout!r} {self.as_json:d} {folder} {os.fsencode(self.file).hex()}\n".encode()

    @classmethod
    def decode(cls, line: bytes) -> Work:
        """Return the work that a line of `encode` stands for, given without its end."""
        timeout, as_json, folder, file = line.decode().split(" ")
        where = None if folder == "-" else os.fsdecode(bytes.fromhex(folder))
        return cls(os.fsdecode(bytes.fromhex(file)), float(timeout), folder=where, as_json=as_json == "1")

    def give_up(self, process_id: int, code: str, message: str, hint: str) -> int:
        """Remove what the work left behind, print the error, and return the exit status."""
        from tonearm.errors import ItemError, one_line

        self.remove_leftovers(process_id)
        error = ItemError(f"{one_line(self.file)}: {message}" if self.file else message, code=code, hint=hint)
        console.print_message(error.problem)
        if self.as_json:
            import json

            from tonearm.cli.printing import error_fields

            print(json.dumps({"file": self.file, "error": error_fields(error)}))
        return console.SOME_FAILED

    def time_out(self, process_id: int) -> int:
        """Give up because there was no sign of life."""
        message = f"no sign of life for {self.timeout:g} s"
        return self.give_up(process_id, "timeout", message, "give a longer --timeout, or 0 for no limit")

    def remove_leftovers(self, process_id: int) -> None:
        """Remove the temporaries that a process left behind."""
        if self.folder is not None:
            from tonearm.run.convert_one import remove_leftovers

            remove_leftovers(self.folder)


def add_timeout_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--timeout``."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=TIMEOUT,
        metavar="S",
        help=f"Seconds without a sign of life after which the command gives up; 0 for no limit (default: {TIMEOUT:g})",
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

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._next = 0.0

    def begin(self, work: Work) -> None:
        """Report which work begins."""
        self._send(work.encode())

    def alive(self, *_: object) -> None:
        """Give a sign of life, unless the last one was just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self._send(b"\n")

    def _send(self, line: bytes) -> None:
        try:
            os.write(self._descriptor, line)
        except BrokenPipeError:  # the watcher was killed, and nobody would stop this process any more
            os._exit(console.BUG)
        except OSError:  # a plugin has closed the descriptor
            return


class _Watchdog:
    """A thread that ends this process if there is no sign of life."""

    def __init__(self) -> None:
        import threading

        self._work = Work(timeout=0)
        self._last = time.monotonic()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tonearm-ceiling", daemon=True)
        self._stopped = False

    def begin(self, work: Work) -> None:
        """Report which work begins."""
        self._last, self._work = time.monotonic(), work
        if not self._thread.is_alive():
            self._thread.start()
        self._changed.set()

    def alive(self, *_: object) -> None:
        """Give a sign of life."""
        self._last = time.monotonic()

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
                startup.exit_at_once(work.time_out(os.getpid()))
            if self._changed.wait(None if left is None else min(left, MAX_WAIT)):
                self._changed.clear()


_pipe: _Pipe | None = None
"""The pipe to the watcher, if this process is a child of it."""


def is_watched_by_parent() -> bool:
    """Return whether a parent watches this process, and holds its signals."""
    return _pipe is not None


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Give the watcher of this process: its parent, or else a thread that ends with the context."""
    if _pipe is not None:
        yield _pipe
        return
    watchdog = _Watchdog()
    try:
        yield watchdog
    finally:
        watchdog.stop()


def fork() -> None:
    """Fork. The child returns and works; the parent watches it and never returns.

    Without `os.fork`, or with threads, which a fork would not copy, this does nothing.
    """
    global _pipe
    if not hasattr(os, "fork") or _has_threads():
        return
    import signal

    sys.stdout.flush()
    sys.stderr.flush()
    stops = startup.stop_signals()
    reading, writing = os.pipe()
    parent = os.getpid()
    # Until the child has its own handlers, a signal would run ours in it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*stops, signal.SIGCHLD))
    child = os.fork()
    if child:
        os.close(writing)
        _Watcher(child, reading).watch(before)
    os.close(reading)
    startup.die_with_parent(parent)
    startup.StopHandler.install(ends_process=False)
    _pipe = _Pipe(writing)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _has_threads() -> bool:
    """Return whether this process has more than one thread."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208 - pathlib is slow to import
    except OSError:
        return len(sys._current_frames()) > 1  # noqa: SLF001 - documented, in spite of its name


class _Watcher:
    """The parent, which watches the child.

    Parameters
    ----------
    child
        Process id of the child.
    descriptor
        Descriptor to read the child's signs of life from.
    """

    def __init__(self, child: int, descriptor: int) -> None:
        self.child = child
        self.descriptor = descriptor
        self.work = Work()
        self.rest = b""
        self.last = time.monotonic()
        self.stopped_by = 0

    def watch(self, mask: object) -> NoReturn:
        """Wait for the end of the child, bring it about if need be, and end this process with its status.

        Parameters
        ----------
        mask
            Signals that were blocked before this process forked.
        """
        import select

        wake = self._install_handlers(mask)
        os.set_blocking(self.descriptor, False)
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        poll.register(self.descriptor, select.POLLIN)
        while True:
            left = self._seconds_left()
            poll.poll(None if left is None else 1 + 1000 * min(max(0, left), MAX_WAIT))
            if not self._read():
                with contextlib.suppress(KeyError):
                    poll.unregister(self.descriptor)
            status = self._status()
            if status is not None:
                startup.exit_at_once(self._end(status))
            with contextlib.suppress(BlockingIOError):
                for number in os.read(wake, 64):
                    self._handle(number)
            left = self._seconds_left()
            if left is not None and left <= 0:
                self._give_up()

    def _install_handlers(self, mask: object) -> int:
        """Handle signals by a byte in a pipe, and return the descriptor that reads it."""
        import signal

        wake, waking = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        for number in (*startup.stop_signals(), signal.SIGCHLD, signal.SIGCONT):
            if number in startup.stop_signals() and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # type: ignore[arg-type]
        return wake

    def _seconds_left(self) -> float | None:
        """Return the seconds until the child is given up; None for ever."""
        limit = STOP_TIMEOUT if self.stopped_by else self.work.timeout
        return self.last + limit - time.monotonic() if limit else None

    def _read(self) -> bool:
        """Read signs of life, and return whether more may come."""
        try:
            data = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return True
        if data and not self.stopped_by:
            self.last = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in filter(None, lines):
            self.work = Work.decode(line)
        return bool(data)

    def _status(self) -> int | None:
        """Return the exit status of the child, negative for a signal; None while it lives."""
        try:
            found, status = os.waitpid(self.child, os.WNOHANG)
        except ChildProcessError:  # somebody has told the system to forget ended children
            return console.BUG
        return os.waitstatus_to_exitcode(status) if found else None

    def _handle(self, number: int) -> None:
        """Handle a signal: the first one that stops ends the child in good order, the second one at once."""
        import signal

        if number == signal.SIGCONT:  # the time during which nobody worked does not count
            self.last = time.monotonic()
        if number not in startup.stop_signals():
            return
        if self.stopped_by:
            self._kill()
            self.work.remove_leftovers(self.child)
            startup.end_by_signal(number)
        self.stopped_by, self.last = number, time.monotonic()
        os.kill(self.child, number)

    def _give_up(self) -> NoReturn:
        """End the child because its time is over, and this process."""
        self._kill()
        if self.stopped_by:
            self.work.remove_leftovers(self.child)
            startup.exit_at_once(console.report_interrupt(startup.interrupt_of(self.stopped_by)))
        startup.exit_at_once(self.work.time_out(self.child))

    def _end(self, status: int) -> int:
        """Return the exit status for the child's own, after a message if a signal has ended it."""
        import signal

        if status >= 0:
            return status
        if self.stopped_by == -status:
            self.work.remove_leftovers(self.child)
            return startup.SIGNALLED + self.stopped_by
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        hint = "PYTHONFAULTHANDLER=1 in the environment, to see where"
        if -status == signal.SIGKILL:
            hint = "out of memory, most likely"
        return self.work.give_up(self.child, "worker-died", f"its process was ended by {name}", hint)

    def _kill(self) -> None:
        """Kill the child with all programs that it has started, and wait for its end."""
        import signal

        with contextlib.suppress(OSError):
            os.kill(self.child, signal.SIGSTOP)  # so that it starts no more
        for process_id in (*_descendants(self.child), self.child):
            with contextlib.suppress(OSError):
                os.kill(process_id, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(self.child, 0)


def _descendants(process_id: int) -> Iterator[int]:
    """Yield the processes that a process has started, and those that they have started, where the system lists them."""
    threads = f"/proc/{process_id}/task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(threads):  # noqa: PTH208 - pathlib is slow to import
            with contextlib.suppress(OSError), open(f"{threads}/{thread}/children", encoding="ascii") as children:  # noqa: PTH123
                for child in map(int, children.read().split()):
                    yield from _descendants(child)
                    yield child
