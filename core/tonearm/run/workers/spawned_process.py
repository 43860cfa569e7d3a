"""Workers that are fresh interpreters."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
import sys

from tonearm.errors import UsageError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Settings
from tonearm.run.workers.cores import pin_threads
from tonearm.run.workers.worker_process import WorkerProcess, send_signal


class SpawnedProcess(WorkerProcess):
    """A new interpreter."""

    def __init__(self, connection: socket.socket, owner_id: str, process: subprocess.Popen[bytes]) -> None:
        super().__init__(connection, owner_id)
        self._process = process

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._process.poll() is None:
            send_signal(self._process.pid, number)

    def wait(self) -> int:
        """Wait for its end."""
        return self._process.wait()


def start_spawned(pipeline: Converter, settings: Settings, here: socket.socket, there: socket.socket) -> WorkerProcess:
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
    return SpawnedProcess(here, settings.owner_id, process)
