"""Workers that are forked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import NoReturn

from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.workers.cores import pin_threads
from tonearm.run.workers.interrupts import SIGNALS
from tonearm.run.workers.memory import keep_memory
from tonearm.run.workers.worker import die_with_parent, serve
from tonearm.run.workers.worker_process import WorkerProcess, send_signal


class ForkedProcess(WorkerProcess):
    """A copy of this process."""

    def __init__(self, connection: socket.socket, owner_id: str, number: int) -> None:
        super().__init__(connection, owner_id)
        self._number = number
        self._status: int | None = None

    @property
    def number(self) -> int:
        """Of the process."""
        return self._number

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._status is None:
            send_signal(self._number, number)

    def wait(self) -> int:
        """Wait for its end."""
        if self._status is None:
            try:
                _, status = os.waitpid(self._number, 0)
                self._status = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # somebody else waited for it
                self._status = 0
        return self._status


def start_forked(
    pipeline: Converter, settings: Settings, foreign: list[int], here: socket.socket, there: socket.socket
) -> WorkerProcess:
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
    return ForkedProcess(here, settings.owner_id, number)


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
        keep_memory()
        pin_threads(os.environ, settings.threads)
        status = serve(there, lambda gate: Preparer(pipeline, settings, gate))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)
