"""The executor of this machine: worker processes, each of which is replaced when it dies or hangs."""

from __future__ import annotations

import math
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from tonearm.errors import OutputError, TonearmError
from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Settings
from tonearm.run.prepared import Failure, PreparedSource
from tonearm.run.store.output_paths import output_folder
from tonearm.run.store.temporaries import sweep
from tonearm.run.tasks import ItemId, Task
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.executor import Batch, Executor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.messages import Message
from tonearm.run.workers.processes import start_worker
from tonearm.run.workers.worker_process import WorkerProcess

STOP_TIMEOUT = 1.5
"""Seconds that a worker has to stop its work before it is killed."""

EXIT_TIMEOUT = 0.5
"""Seconds that a worker's process has to end after its connection has."""

START_TIMEOUT = 60.0
"""Seconds that a worker has to start, at least: a fresh interpreter may have much to import."""

POLL_INTERVAL = 1.0
"""Seconds after which an empty batch is yielded if no message has come."""

MAX_FAILED_STARTS = 3
"""Number of workers in a row that may end before their first message."""


class WorkerError(TonearmError):
    """No worker can work, and no item is at fault."""

    default_code = "broken-worker"


class _Worker:
    """A worker and its current work.

    Attributes
    ----------
    chunk
        Tasks that the worker has not finished, by number.
    is_retry
        Whether the chunk is one task that another worker died at.
    last_heard
        Time of the last message.
    started
        Whether the first message has come.
    idle
        Whether the worker waits for a chunk.
    timed_out
        Whether the worker was killed because it was silent for too long.
    closed_connection
        Whether the process went on after it had closed its connection.
    received
        Items of large sources that have been received, by the number of the task.
    """

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.chunk: dict[int, Task] = {}
        self.is_retry = False
        self.last_heard = time.monotonic()
        self.started = False
        self.idle = True
        self.timed_out = False
        self.closed_connection = False
        self.received: dict[int, set[ItemId]] = {}


class LocalExecutor(Executor):
    """Prepares chunks in worker processes.

    If a worker dies or hangs, each source of its chunk is tried again, alone in a worker. A source that fails again is
    at fault; the others are not affected.

    Parameters
    ----------
    pipeline
        Pipeline.
    settings
        Settings of the preparers.
    jobs
        Number of processes.
    gate
        Gate that is open for interrupts while the executor waits for workers.
    timeout
        Seconds that a source may take; None for no limit.
    foreign_descriptors
        Descriptors that workers must close.
    fork
        Whether to fork workers; None forks if that is safe.
    """

    def __init__(
        self,
        pipeline: Converter,
        settings: Settings,
        *,
        jobs: int,
        gate: InterruptGate,
        timeout: float | None = None,
        foreign_descriptors: Iterable[int] = (),
        fork: bool | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._jobs = jobs
        self._gate = gate
        self._timeout = timeout
        self._foreign_descriptors = list(foreign_descriptors)
        self._fork = fork
        self._workers: list[_Worker] = []
        self._starts = 0
        self._failed_starts = 0
        self._unstarted_chunks: deque[list[Task]] = deque()
        """Chunks of workers that ended before their first message."""
        self._retries: deque[Task] = deque()
        """Tasks that a worker may have died at."""
        self._abandoned: list[tuple[str, list[Task]]] = []
        """Owner ids of dead workers, each with the tasks whose temporaries may be left."""
        self._selector = selectors.DefaultSelector()
        self._failure: TonearmError | None = None

    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield prepared sources as they come."""
        self._feed(chunks)
        while any(not worker.idle for worker in self._workers):
            batch = self._listen()
            chunks.learn(batch)
            if self._failure is None:
                self._feed(chunks)
            yield batch
            self._sweep_abandoned()
            if self._failure is not None:
                raise self._failure

    def stop(self) -> Iterator[Batch]:
        """Stop all workers, kill those that do not stop, and yield what was finished."""
        deadline = time.monotonic() + STOP_TIMEOUT
        for worker in self._workers:
            worker.process.finish_sending()
            if not worker.idle:
                worker.process.signal(signal.SIGTERM)
        batch: Batch = []
        while self._workers:
            left = deadline - time.monotonic()
            if left <= 0:
                for worker in self._workers:
                    worker.process.signal(signal.SIGKILL)
            batch += self._listen(max(left, 0.5), stopping=True)
        if batch:
            yield batch
        self._sweep_abandoned()
        self._selector.close()

    def _feed(self, chunks: Chunks) -> None:
        """Give every idle worker a chunk, and start workers where they are needed."""
        idle = deque(worker for worker in self._workers if worker.idle)
        while (idle or len(self._workers) < self._jobs) and (self._retries or self._unstarted_chunks or len(chunks)):
            worker = idle.popleft() if idle else self._start()
            if worker is None:
                return
            worker.is_retry = bool(self._retries)
            if worker.is_retry:
                chunk = [self._retries.popleft()]
            else:
                chunk = self._unstarted_chunks.popleft() if self._unstarted_chunks else chunks.take()
            worker.chunk = {task.number: task for task in chunk}
            worker.received = {}
            worker.idle = worker.timed_out = False
            worker.last_heard = time.monotonic()
            # If the worker has died meanwhile, the next `_listen` reaps it.
            worker.process.send(chunk)

    def _start(self) -> _Worker | None:
        """Start a worker. Return None if the system allows no more processes, and other workers can do the work."""
        self._starts += 1
        owner_id = f"{self._settings.owner_id}{self._starts & 0xFFFF:04x}"
        foreign = [*self._foreign_descriptors, *(worker.process.connection.fileno() for worker in self._workers)]
        foreign.append(self._selector.fileno() if hasattr(self._selector, "fileno") else -1)
        settings = msgspec.structs.replace(self._settings, owner_id=owner_id)
        try:
            process = start_worker(self._pipeline, settings, foreign, fork=self._fork)
        except OSError as error:
            if any(not worker.idle for worker in self._workers):
                return None
            reason = (error.strerror or str(error)).lower()
            raise WorkerError(f"a worker process could not start: {reason}", hint="use fewer jobs") from error
        worker = _Worker(process)
        self._workers.append(worker)
        self._selector.register(process.connection, selectors.EVENT_READ, worker)
        return worker

    def _listen(self, timeout: float = POLL_INTERVAL, *, stopping: bool = False) -> Batch:
        """Return what workers have finished. Reap those that have died, and kill those that are silent for too long."""
        batch: Batch = []
        if stopping:
            ready = self._selector.select(timeout)
        else:
            due = min((self._deadline(worker) for worker in self._workers), default=math.inf)
            timeout = min(timeout, max(0.0, due - time.monotonic()))
            with self._gate.opened:
                ready = self._selector.select(timeout)
        for worker in self._workers:
            worker.process.close_if_ended()
        for key, _ in ready:
            worker = key.data
            messages = worker.process.receive()
            if messages is None:
                batch += self._reap(worker, stopping=stopping)
                continue
            worker.last_heard = time.monotonic()  # half a message is a sign of life, too
            for message in messages:
                batch += self._handle(worker, message)
        if self._timeout and not stopping:
            now = time.monotonic()
            for worker in self._workers:
                if now >= self._deadline(worker):
                    worker.timed_out = True
                    worker.process.signal(signal.SIGKILL)
        return batch

    def _deadline(self, worker: _Worker) -> float:
        """Return the time until which a worker may be silent: for ever if it is idle, or killed already."""
        if worker.idle or worker.timed_out or not self._timeout:
            return math.inf
        # The time of a source begins when the worker has started.
        return worker.last_heard + (self._timeout if worker.started else max(self._timeout, START_TIMEOUT))

    def _handle(self, worker: _Worker, message: Message) -> Batch:
        if not worker.started:
            worker.started = True  # the worker has its first chunk already, so it is not idle
            self._failed_starts = 0
            return []
        for prepared in message.batch:
            number = prepared.task.number
            if prepared.last:
                worker.chunk.pop(number, None)
            else:
                worker.received.setdefault(number, set()).update((item.key, item.index) for item in prepared.items)
        if message.output_error:
            text, hint = message.output_error
            self._failure = OutputError(text, hint=hint)
        elif message.bug:
            self._failure = WorkerError(f"a worker failed, which is a bug in tonearm:\n{message.bug}", code="bug")
        worker.idle = message.idle
        return message.batch

    def _reap(self, worker: _Worker, *, stopping: bool) -> Batch:
        """Reap a dead worker. Return the failure of its source if that was a retry."""
        self._selector.unregister(worker.process.connection)
        self._workers.remove(worker)
        status, worker.closed_connection = worker.process.reap(EXIT_TIMEOUT)
        unfinished = [self._remaining(worker, task) for task in worker.chunk.values()]
        if unfinished or worker.received:
            self._abandoned.append((worker.process.owner_id, unfinished))
        if stopping:
            return []
        if not worker.started:
            self._unstarted_chunks.append(unfinished)
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                message = f"{self._failed_starts} worker processes could not start, the last: {_describe_exit(status)}"
                self._failure = WorkerError(message, hint="with 0 jobs, the error shows in this process")
            return []
        if worker.is_retry:
            return [PreparedSource(task=task, failures=[self._failure_of(task, status, worker)]) for task in unfinished]
        self._retries += unfinished
        return []

    def _remaining(self, worker: _Worker, task: Task) -> Task:
        """Return what is left to do of a task, some items of which may have been received."""
        received = worker.received.get(task.number)
        return msgspec.structs.replace(task, skip=task.skip | received) if received else task

    def _failure_of(self, task: Task, status: int, worker: _Worker) -> Failure:
        if worker.timed_out:
            message = f"it took longer than {self._timeout:g} s, twice"
            return Failure(task.name, "", 0, "timeout", message, "set a longer timeout")
        if worker.closed_connection:
            message = "its process closed its connection to the run, twice"
            return Failure(task.name, "", 0, "worker-died", message, "a plugin closes files that are not its own")
        hint = "with 0 jobs, it happens in this process, under a debugger if you like"
        if status == -signal.SIGKILL:
            hint = "out of memory, most likely: use fewer jobs"
        message = f"its process was ended by {_describe_exit(status)}, twice"
        return Failure(task.name, "", 0, "worker-died", message, hint)

    def _sweep_abandoned(self) -> None:
        """Remove the temporaries of dead workers. What they had finished is published by now."""
        abandoned, self._abandoned = self._abandoned, []
        for owner_id, tasks in abandoned:
            folders = {output_folder(output, task.source()) for output in self._pipeline.outputs for task in tasks}
            if None in folders or not tasks:
                sweep(self._settings.root, owner_id, deep=True)
            else:
                for folder in folders:
                    sweep(os.path.join(self._settings.root, folder or ""), owner_id)


def _describe_exit(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
