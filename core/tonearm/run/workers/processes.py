"""Starting worker processes: forked where that is safe, else fresh.

A fork takes 2 ms and shares what is imported already; a fresh interpreter takes 200 ms. But a fork copies one thread
only, and locks that others hold stay locked in it for ever. So a process is forked if it has a single thread, as the
command line does (it keeps no refresher for its progress bar, and imports no numpy), and a fresh one is started
otherwise, as from a notebook or where torch is at work. Python's own pools would start fresh ones by running the
caller's main module again, which surprises everyone once.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Settings
from tonearm.run.workers.worker_process import WorkerProcess


def is_fork_safe() -> bool:
    """Say whether this process has no thread but the one that asks."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def start(
    pipeline: Converter, settings: Settings, foreign: Iterable[int], *, fork: bool | None = None
) -> WorkerProcess:
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
            from tonearm.run.workers.forked_process import start_forked

            return start_forked(pipeline, settings, [*foreign, here.fileno()], here, there)
        from tonearm.run.workers.spawned_process import start_spawned

        return start_spawned(pipeline, settings, here, there)
