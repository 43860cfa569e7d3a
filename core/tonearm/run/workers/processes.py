"""Starting worker processes: they are forked where that is safe, and spawned otherwise.

A fork takes 2 ms and shares what is imported already. A fresh interpreter takes 200 ms. But a fork copies only one
thread, and locks that other threads hold stay locked in it for ever. So a process is forked only if it has a single
thread. The command line does: its progress bar has no thread of its own, and it does not import numpy. In a notebook,
or where torch is at work, workers are spawned. Python's own process pools would run the caller's main module again in
each spawned worker, which surprises everyone once.
"""

from __future__ import annotations

import _socket
import os
from collections.abc import Iterable

from tonearm.run.workers.work import PipelineWork
from tonearm.run.workers.worker_process import WorkerProcess
from tonearm.system import HAS_POSIX


def is_fork_safe() -> bool:
    """Return whether this process has only one thread, and can fork. Works on Linux only."""
    if not HAS_POSIX:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def start_worker(work: PipelineWork, foreign_descriptors: Iterable[int], *, fork: bool | None = None) -> WorkerProcess:
    """Start a worker process.

    Parameters
    ----------
    work
        Work of the run.
    foreign_descriptors
        Descriptors that the worker must close: connections to other workers.
    fork
        Whether to fork; None forks if that is safe.

    Raises
    ------
    UsageError
        If the pipeline's plugins cannot be imported in a fresh interpreter.
    """
    run_end, worker_end = _pair()
    try:
        if is_fork_safe() if fork is None else fork:
            from tonearm.run.workers.forked_process import start_forked

            foreign = [*foreign_descriptors, run_end.fileno()]
            return start_forked(work, foreign, run_end, worker_end)
        from tonearm.run.workers.spawned_process import start_spawned

        return start_spawned(work, run_end, worker_end)
    finally:
        worker_end.close()


def _pair() -> tuple[_socket.socket, _socket.socket]:
    """Return the two ends of a connection."""
    if HAS_POSIX:
        return _socket.socketpair()
    import socket  # Windows: two sockets that are connected over the loopback address

    return socket.socketpair()
