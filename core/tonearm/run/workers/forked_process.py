"""Workers that are forked from the run's process."""

from __future__ import annotations

import _socket
import contextlib
import os
import signal
from typing import NoReturn

from tonearm.run.workers.cores import pin_threads
from tonearm.run.workers.interrupts import SIGNALS
from tonearm.run.workers.work import PipelineWork
from tonearm.run.workers.worker import end, serve
from tonearm.run.workers.worker_process import WorkerProcess, send_signal
from tonearm.startup import die_with_parent, flush_c_streams, keep_freed_memory
from tonearm.system import HAS_POSIX


class ForkedProcess(WorkerProcess):
    """A worker's process that was forked.

    Parameters
    ----------
    connection
        Connection to the worker.
    process_id
        Id of the process.
    """

    def __init__(self, connection: _socket.socket, process_id: int) -> None:
        super().__init__(connection)
        self._process_id = process_id
        self._status: int | None = None

    @property
    def process_id(self) -> int:
        """Id of the process and of its group."""
        return self._process_id

    def signal(self, number: int) -> None:
        """Send a signal to the process, unless it has ended."""
        if self._status is None:
            send_signal(self._process_id, number)

    def wait(self) -> int:
        """Wait for the end of the process, and return its exit status; negative for a signal."""
        if self._status is None:
            try:
                _, status = os.waitpid(self._process_id, 0)
                self._status = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # somebody else has waited for it
                self._status = 0
        return self._status


def start_forked(
    work: PipelineWork,
    foreign_descriptors: list[int],
    run_end: _socket.socket,
    worker_end: _socket.socket,
) -> WorkerProcess:
    """Fork a worker.

    Parameters
    ----------
    work
        Work of the run.
    foreign_descriptors
        Descriptors that the worker must close.
    run_end, worker_end
        Two ends of the connection.
    """
    if not HAS_POSIX:
        raise NotImplementedError
    parent = os.getpid()
    # Until the child has its own handlers, a signal would run ours in it and remove what belongs to the run.
    flush_c_streams()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process_id = os.fork()
        if not process_id:
            _become_worker(work, foreign_descriptors, worker_end, parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with contextlib.suppress(OSError):
        os.setpgid(process_id, process_id)  # the child does the same; one of them comes first
    return ForkedProcess(run_end, process_id)


def _become_worker(
    work: PipelineWork,
    foreign_descriptors: list[int],
    worker_end: _socket.socket,
    parent: int,
) -> NoReturn:
    """Work in the child. The frames above this one belong to the parent and never continue here."""
    status = 70
    if not HAS_POSIX:
        raise NotImplementedError
    try:
        for descriptor in foreign_descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        os.setpgid(0, 0)  # the run handles Ctrl-C, not the workers and the programs that they run
        die_with_parent(parent)
        # This is no longer a foreground process: a plugin that reads from the terminal would block for ever.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        keep_freed_memory()
        pin_threads(os.environ, work.settings.threads)
        status = serve(worker_end, work.in_worker)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        end(status)
