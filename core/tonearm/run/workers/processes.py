"""Starting worker processes: forked where that is safe, else fresh.

A fork takes 2 ms and shares what is imported already; a fresh interpreter takes 200 ms. But a fork copies one thread
only, and locks that others hold stay locked in it for ever. So a process is forked if it has a single thread, as the
command line does (it keeps no refresher for its progress bar, and imports no numpy), and a fresh one is started
otherwise, as from a notebook or where torch is at work. Python's own pools would start fresh ones by running the
caller's main module again, which surprises everyone once.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from tonearm.errors import UsageError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.workers.cores import pin_threads
from tonearm.run.workers.interrupts import SIGNALS
from tonearm.run.workers.worker import Inbox, Message, die_with_parent, send, serve
from tonearm.startup import keep_freed_memory

if TYPE_CHECKING:
    import subprocess


class Process(ABC):
    """A worker's process, seen from the run.

    Attributes
    ----------
    connection
        To talk to it.
    mark
        How the digits of its temporaries begin.
    """

    def __init__(self, connection: socket.socket, mark: str) -> None:
        self.connection = connection
        self.mark = mark
        self._inbox = Inbox()

    def receive(self) -> list[Message] | None:
        """Return what it said; None if it is gone."""
        try:
            data = self.connection.recv(1 << 18)
        except OSError:
            return None
        return list(self._inbox.feed(data)) if data else None

    def send(self, message: object) -> bool:
        """Send a message; return whether it could be."""
        try:
            send(self.connection, message)
        except OSError:
            return False
        return True

    def say_no_more(self) -> None:
        """Let it end when it has done what it was sent."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def say_if_gone(self) -> None:
        """If it has ended, let what it said be followed by the end of its connection, whoever holds that open still.

        A process that it forked has its side of the connection, too, and may outlive it.
        """
        if self._has_ended():
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RD)

    def bury(self, patience: float) -> tuple[int, bool]:
        """Close its connection, which has ended, and see that it and what it started are gone.

        Returns its exit status, negative for a signal, and whether it would not end for so many seconds.
        """
        self.connection.close()
        deadline = time.monotonic() + patience
        while stubborn := not self._has_ended():
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        # Nobody has waited for it yet, so that its number, which is that of its group, is still its own.
        _signal(self.number, signal.SIGKILL)
        return self.wait(), stubborn

    def _has_ended(self) -> bool:
        try:
            return os.waitid(os.P_PID, self.number, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody else waited for it
            return True

    @property
    @abstractmethod
    def number(self) -> int:
        """Of the process, and of its group."""

    @abstractmethod
    def signal(self, number: int) -> None:
        """Send it a signal, unless it is gone."""

    @abstractmethod
    def wait(self) -> int:
        """Wait for its end; return its exit status, negative for a signal."""


class Forked(Process):
    """A copy of this process."""

    def __init__(self, connection: socket.socket, mark: str, number: int) -> None:
        super().__init__(connection, mark)
        self._number = number
        self._status: int | None = None

    @property
    def number(self) -> int:
        """Of the process."""
        return self._number

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._status is None:
            _signal(self._number, number)

    def wait(self) -> int:
        """Wait for its end."""
        if self._status is None:
            try:
                _, status = os.waitpid(self._number, 0)
                self._status = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # somebody else waited for it
                self._status = 0
        return self._status


class Fresh(Process):
    """A new interpreter."""

    def __init__(self, connection: socket.socket, mark: str, process: subprocess.Popen[bytes]) -> None:
        super().__init__(connection, mark)
        self._process = process

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._process.poll() is None:
            _signal(self._process.pid, number)

    def wait(self) -> int:
        """Wait for its end."""
        return self._process.wait()


def _signal(process: int, number: int) -> None:
    """Send a signal to a worker; a last one goes to the programs that it runs too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(process, number)
        else:
            os.kill(process, number)


def is_fork_safe() -> bool:
    """Say whether this process has no thread but the one that asks."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def start(pipeline: Converter, settings: Settings, foreign: Iterable[int], *, fork: bool | None = None) -> Process:
    """Start a worker.

    Parameters
    ----------
    pipeline, settings
        How to prepare.
    foreign
        Open files that it must not keep: locks, and the connections of other workers.
    fork
        Whether to fork; None decides by what is safe.

    Raises
    ------
    UsageError
        If a fresh process cannot be told the pipeline, because its plugins cannot be imported there.
    """
    here, there = socket.socketpair()
    with there:
        if is_fork_safe() if fork is None else fork:
            return _forked(pipeline, settings, [*foreign, here.fileno()], here, there)
        return _fresh(pipeline, settings, here, there)


def _forked(
    pipeline: Converter, settings: Settings, foreign: list[int], here: socket.socket, there: socket.socket
) -> Process:
    parent = os.getpid()
    # Until the child has its own handlers, a signal would run ours in it, and clean up what is not its own.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        number = os.fork()
        if not number:
            _be_worker(pipeline, settings, foreign, there, parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with contextlib.suppress(OSError):
        os.setpgid(number, number)  # it does so itself; whoever comes first
    return Forked(here, settings.mark, number)


def _be_worker(
    pipeline: Converter, settings: Settings, foreign: list[int], there: socket.socket, parent: int
) -> NoReturn:
    """Be the child; the frames above this one are the parent's, and never come back to life."""
    status = 70
    try:
        for descriptor in foreign:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        os.setpgid(0, 0)  # Ctrl-C is the run's affair, not that of workers and the programs that they run
        die_with_parent(parent)
        # A plugin that asks a terminal something would wait for ever: this is no process of the foreground any more.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        keep_freed_memory()
        pin_threads(os.environ, settings.threads)
        status = serve(there, lambda gate: Preparer(pipeline, settings, gate))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def _fresh(pipeline: Converter, settings: Settings, here: socket.socket, there: socket.socket) -> Process:
    import subprocess

    try:
        job = pickle.dumps((pipeline, settings), 5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        here.close()
        raise UsageError(
            f"worker processes cannot import the pipeline's plugins: {one_line(error)}",
            code="not-importable",
            hint="put the plugins into a module, or convert in this process: jobs=0",
        ) from error
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    pin_threads(environ, settings.threads)
    # Not -m: what the worker sends would be of classes of its __main__, which nobody else has.
    code = "from tonearm.run.workers.worker import main; main()"
    words = [sys.executable, "-P", "-c", code, str(os.getpid()), str(there.fileno())]
    process = subprocess.Popen(  # noqa: S603
        words, env=environ, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=2, process_group=0
    )
    with contextlib.suppress(OSError):  # one that is gone already is found out when we listen to it
        here.sendall(len(job).to_bytes(8, "big") + job)
    return Fresh(here, settings.mark, process)
