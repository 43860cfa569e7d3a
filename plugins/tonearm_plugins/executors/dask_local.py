"""A Dask cluster on this machine for one run: the scheduler in this process, and workers of one thread each."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from typing import Any

POLL_SECONDS = 0.05
"""Time in seconds between two looks at whether the workers have started."""

_PROGRAM = """
import os, signal, threading
from multiprocessing.resource_tracker import ensure_running
ensure_running()
os.setsid()
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
def end_with_the_run():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=end_with_the_run, daemon=True).start()
from distributed.cli.dask_worker import main
main()
"""
"""Program of the workers: their standard input ends when the run's process does, however that happens.

The process of Python that removes semaphores, which others leave when they are killed, starts before the group of the
workers is made, so that it is not killed with them.
"""


class LocalWorkers:
    """A cluster on this machine.

    Dask's own local cluster starts its workers by ``multiprocessing``, which imports the main module of the program
    again, and in the program's process group, where Ctrl-C ends them before the run has published what they finished.

    Parameters
    ----------
    workers
        Number of workers.

    Attributes
    ----------
    scheduler
        Cluster of a scheduler alone, for a client to connect to.
    """

    _process: subprocess.Popen[bytes]
    _count: int

    def __init__(self, workers: int) -> None:
        if sys.platform == "win32":  # this takes signals and groups of processes
            raise OSError("Windows cannot start it: give the address of a cluster as scheduler=tcp://…")
        from distributed import LocalCluster

        self._count = workers
        self.scheduler: Any = LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", silence_logs=logging.WARNING)
        line = [self.scheduler.scheduler_address, "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard"]
        python = [sys.executable, "-W", "ignore::UserWarning:multiprocessing.resource_tracker"]
        # Until they have a group of their own, the workers must not die of the Ctrl-C of the terminal.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                [*python, "-c", _PROGRAM, *line],
                stdin=subprocess.PIPE,
                stdout=2,  # where the command's own output is not
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "DASK_LOGGING__DISTRIBUTED": "critical",
                },
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def wait(self, client: Any, seconds: float) -> None:
        """Wait until all workers are there."""
        deadline = time.monotonic() + seconds
        while len(client.nthreads()) < self._count:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise OSError("its workers do not start")
            time.sleep(POLL_SECONDS)

    def close(self, seconds: float) -> None:
        """End the cluster."""
        with contextlib.suppress(Exception):
            self.scheduler.close(timeout=seconds)
        if sys.platform == "win32":
            return
        self._process.terminate()  # which lets them remove their folders
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
