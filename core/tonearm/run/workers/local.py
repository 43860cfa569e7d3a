"""The executor of this machine: worker processes, each of which is replaced when it dies or hangs."""

from __future__ import annotations

import itertools
import math
import signal
import time
from collections import deque
from collections.abc import Iterator

from tonearm.descendants import SIGKILL
from tonearm.plugins.executor import Died, Executor, Handle, Results, Work
from tonearm.plugins.plugin import NoOptions
from tonearm.run.workers.chunk_results import WorkerError
from tonearm.run.workers.polling import Polling
from tonearm.run.workers.processes import start_worker
from tonearm.run.workers.work import PipelineWork
from tonearm.run.workers.worker import UNFIT
from tonearm.run.workers.worker_process import WorkerProcess

STOP_TIMEOUT = 1.5
"""Seconds that a worker has to stop its work before it is killed."""

EXIT_TIMEOUT = 0.5
"""Seconds that a worker's process has to end after its connection has."""

START_TIMEOUT = 60.0
"""Seconds that a worker has to start: a fresh interpreter may have much to import."""

MAX_FAILED_STARTS = 3
"""Number of workers in a row that may end before their first message."""


class _Worker:
    """A worker and its current work.

    Attributes
    ----------
    number, chunk
        Number and content of its chunk; None for no chunk.
    owner
        Id of the owner of its temporaries; empty before its first message.
    kill_at
        Time when it is killed, unless it stops or starts before.
    """

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.number: int | None = None
        self.chunk: object = None
        self.owner = ""
        self.kill_at = time.monotonic() + START_TIMEOUT


class LocalExecutor(Executor[NoOptions]):
    """Convert in worker processes on this machine; one that crashes or hangs is replaced."""

    isolates = True

    def open(self, work: Work, slots: int) -> None:
        """Start. Workers start with the first chunks."""
        assert isinstance(work, PipelineWork)
        self._work = work
        self._slots = slots
        self._numbers = itertools.count()
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._waiting: deque[tuple[int, object]] = deque()
        """Chunks that wait for a worker: the system allows no more processes, or their worker never started."""
        self._found: deque[tuple[int, Results | Died]] = deque()
        """What `wait` has not yielded yet."""
        self._polling = Polling()

    def submit(self, chunk: object) -> int:
        """Give a chunk to a worker, which is started if need be."""
        self._waiting.append((next(self._numbers), chunk))
        number = self._waiting[-1][0]
        self._feed()
        return number

    def wait(self, seconds: float) -> Iterator[tuple[int, Results | Died]]:
        """Yield what workers have finished. Reap those that have died, and kill those that do not stop."""
        if not self._found:
            self._listen(seconds)
        while self._found:
            yield self._found.popleft()

    def cancel(self, handle: Handle) -> None:
        """Stop the worker of a chunk, which is killed if it does not stop soon."""
        for number, chunk in list(self._waiting):
            if number == handle:
                self._waiting.remove((number, chunk))
                self._found.append((number, Died("it was stopped")))
        for worker in self._workers:
            if worker.number == handle:
                worker.kill_at = time.monotonic() + STOP_TIMEOUT
                worker.process.finish_sending()
                worker.process.signal(signal.SIGTERM)

    def close(self) -> None:
        """Stop all workers, and kill those that do not stop."""
        for worker in self._workers:
            worker.kill_at = min(worker.kill_at, time.monotonic() + STOP_TIMEOUT)
            worker.process.finish_sending()
        while self._workers:
            self._listen(STOP_TIMEOUT)

    def _feed(self) -> None:
        """Give chunks that wait to idle workers, and start workers where they are needed."""
        idle = deque(worker for worker in self._workers if worker.number is None)
        while self._waiting and (idle or len(self._workers) < self._slots):
            worker = idle.popleft() if idle else self._start()
            if worker is None:
                return
            worker.number, worker.chunk = self._waiting.popleft()
            # If the worker has died meanwhile, the next `_listen` reaps it.
            worker.process.send(worker.chunk)

    def _start(self) -> _Worker | None:
        """Start a worker. Return None if the system allows no more processes, and other workers can do the work."""
        foreign = [worker.process.connection.fileno() for worker in self._workers]
        try:
            process = start_worker(self._work, foreign)
        except OSError as error:
            if any(worker.number is not None for worker in self._workers):
                return None
            reason = (error.strerror or str(error)).lower()
            raise WorkerError(f"a worker process could not start: {reason}", hint="use fewer jobs") from error
        worker = _Worker(process)
        self._workers.append(worker)
        self._polling.add(process.connection)
        return worker

    def _listen(self, seconds: float) -> None:
        """Collect what workers have finished."""
        due = min((worker.kill_at for worker in self._workers), default=math.inf)
        milliseconds = math.ceil(1000 * min(seconds, max(0.0, due - time.monotonic())))
        if self._work.stopping:
            ready = self._polling.wait(milliseconds)
        else:
            with self._work.gate.opened:
                ready = self._polling.wait(milliseconds)
        for worker in self._workers:
            worker.process.close_if_ended()
        workers = {worker.process.connection.fileno(): worker for worker in self._workers}
        for descriptor in ready:
            self._receive(workers[descriptor])
        now = time.monotonic()
        for worker in self._workers:
            if now >= worker.kill_at:
                worker.process.signal(SIGKILL)
                worker.kill_at = math.inf
            elif not worker.owner and worker.number is not None:
                self._found.append((worker.number, Results(last=False)))  # it is still starting
        self._found += ((number, Results(last=False)) for number, _ in self._waiting)

    def _receive(self, worker: _Worker) -> None:
        """Receive what a worker has sent. Half a message is a sign of life, too."""
        messages = worker.process.receive()
        if messages is None:
            self._reap(worker)
            return
        if worker.number is not None and not messages:
            self._found.append((worker.number, Results(last=False)))
        for results in messages:
            if not worker.owner:
                worker.owner, worker.kill_at = results.owner, math.inf
                self._failed_starts = 0
            elif worker.number is not None:
                self._found.append((worker.number, results))
                if results.last:
                    worker.number = worker.chunk = None
        self._feed()

    def _reap(self, worker: _Worker) -> None:
        """Reap a dead worker."""
        self._polling.remove(worker.process.connection)
        self._workers.remove(worker)
        status, went_on = worker.process.reap(EXIT_TIMEOUT)
        if worker.number is None:
            return
        if worker.owner or self._work.stopping:
            reason, hint = _describe_death(status, went_on=went_on)
            self._found.append((worker.number, Died(reason, worker.owner, hint=hint)))
            self._feed()
            return
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            message = f"{self._failed_starts} worker processes could not start, the last: {_describe_exit(status)}"
            raise WorkerError(message, hint="with the executor in-process, the error shows in this process")
        self._waiting.append((worker.number, worker.chunk))
        self._feed()


def _describe_death(status: int, *, went_on: bool) -> tuple[str, str]:
    """Return what happened to a worker, and a hint.

    Parameters
    ----------
    status
        Exit status; negative for a signal.
    went_on
        Whether the process had to be killed after it had closed its connection.
    """
    if went_on:
        return "its process closed its connection to the run", "a plugin closes files that are not its own"
    if status == UNFIT:
        return "its process has no files left", "a plugin leaves files open, closes those of others, or lowers limits"
    hint = "out of memory, most likely: use fewer jobs" if status == -SIGKILL else ""
    return f"its process was ended by {_describe_exit(status)}", hint


def _describe_exit(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
