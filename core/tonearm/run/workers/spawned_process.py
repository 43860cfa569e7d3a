"""Workers that are spawned: each is a fresh interpreter."""

from __future__ import annotations

import _socket
import contextlib
import os
import pickle
import subprocess
import sys

from tonearm.errors import UsageError, one_line
from tonearm.run.workers.cores import pin_threads
from tonearm.run.workers.messages import HEADER
from tonearm.run.workers.work import PipelineWork
from tonearm.run.workers.worker_process import WorkerProcess, send_signal
from tonearm.system import HAS_POSIX


class SpawnedProcess(WorkerProcess):
    """A worker's process that was spawned.

    Parameters
    ----------
    connection
        Connection to the worker.
    process
        Process.
    """

    def __init__(self, connection: _socket.socket, process: subprocess.Popen[bytes]) -> None:
        super().__init__(connection)
        self._process = process

    @property
    def process_id(self) -> int:
        """Id of the process and of its group."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the process, unless it has ended."""
        if self._process.poll() is None:
            send_signal(self._process.pid, number)

    def _has_ended(self) -> bool:
        # macOS has no `waitid` before Python 3.13.
        return super()._has_ended() if hasattr(os, "waitid") else self._process.poll() is not None

    def wait(self) -> int:
        """Wait for the end of the process, and return its exit status; negative for a signal."""
        return self._process.wait()


def start_spawned(work: PipelineWork, run_end: _socket.socket, worker_end: _socket.socket) -> WorkerProcess:
    """Spawn a worker.

    Parameters
    ----------
    work
        Work of the run.
    run_end, worker_end
        Two ends of the connection.

    Raises
    ------
    UsageError
        If the pipeline's plugins cannot be imported in a fresh interpreter.
    """
    try:
        job = pickle.dumps((work.pipeline, work.store, work.settings), 5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        run_end.close()
        raise UsageError(
            f"worker processes cannot import the pipeline's plugins: {one_line(error)}",
            code="not-importable",
            hint="put the plugins into a module, or use the executor in-process",
        ) from error
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    pin_threads(environ, work.settings.threads)
    # With -m, the worker's messages would hold classes of its __main__, which the run does not have.
    code = "from tonearm.run.workers.worker import main; main()"
    words = [sys.executable, "-P", "-c", code, str(os.getpid())]
    process = _start(words, environ, worker_end)
    with contextlib.suppress(OSError):  # if the worker has ended already, the executor reaps it
        run_end.sendall(HEADER.pack(len(job)) + job)
    return SpawnedProcess(run_end, process)


def _start(words: list[str], environ: dict[str, str], worker_end: _socket.socket) -> subprocess.Popen[bytes]:
    """Start a process that inherits a socket. The last word tells it the descriptor, or -1 for its standard input.

    Windows passes no descriptors on, but a process can share a socket with another one, given by its id.
    """
    if HAS_POSIX:
        words = [*words, str(worker_end.fileno())]
        return subprocess.Popen(  # noqa: S603
            words, env=environ, pass_fds=[worker_end.fileno()], stdin=subprocess.DEVNULL, stdout=2, process_group=0
        )
    base = getattr(sys, "_base_executable", "")
    if words[0] == sys.executable and base and base != sys.executable:
        # In a virtual environment there, Python's program is a launcher: it starts the process that has to get the
        # socket, and whose id nobody knows. So that process is started as the launcher would start it.
        words, environ = [base, *words[1:]], {**environ, "__PYVENV_LAUNCHER__": sys.executable}
    group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Ctrl-C is for the run alone
    process = subprocess.Popen(  # noqa: S603
        [*words, "-1"], env=environ, stdin=subprocess.PIPE, stdout=2, creationflags=group
    )
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin as pipe:  # if it has ended already, the executor reaps it
        pipe.write(worker_end.share(process.pid))  # type: ignore[attr-defined,unused-ignore]
    return process
