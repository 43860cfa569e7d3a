"""The executor of this machine: worker processes, each replaced when it dies or hangs."""

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
from tonearm.run.plan import source_of
from tonearm.run.prepare import Settings
from tonearm.run.prepared import Failure, PreparedSource
from tonearm.run.store.output_paths import output_folder
from tonearm.run.store.temporaries import sweep
from tonearm.run.tasks import ItemId, Task
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.executor import Batch, Executor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.messages import Message
from tonearm.run.workers.processes import start
from tonearm.run.workers.worker_process import WorkerProcess

STOP_TIMEOUT = 1.5
"""Seconds that a worker has to leave its work before it is killed."""

EXIT_TIMEOUT = 0.5
"""Seconds that a worker may take to end when its connection has."""

START_TIMEOUT = 60.0
"""Seconds that a worker may take to come to life; a fresh interpreter may have much to import."""

POLL_INTERVAL = 1.0
"""Seconds after which the run hears that nothing has come."""

MAX_FAILED_STARTS = 3
"""So many workers in a row may end before they have said a word."""


class WorkerError(TonearmError):
    """Workers cannot work at all: it is no item's fault."""

    default_code = "broken-worker"


class _Worker:
    """A worker, and what it is at."""

    def __init__(self, process: WorkerProcess, number: int) -> None:
        self.process = process
        self.number = number
        self.chunk: dict[int, Task] = {}
        self.alone = False
        self.heard = time.monotonic()
        self.ready = False
        self.idle = True
        self.late = False
        self.kept_running = False
        """Whether it went on when it had closed its connection."""
        self.published: dict[int, set[ItemId]] = {}
        """Items of large sources of which parts have come."""


class LocalExecutor(Executor):
    """Prepares chunks in worker processes.

    When one dies or hangs, its chunk is tried again source by source, each alone in a worker; what then fails again is
    at fault, and nothing else.

    Parameters
    ----------
    pipeline, settings
        How to prepare.
    jobs
        How many processes.
    timeout
        Seconds that a source may take; None is for ever.
    gate
        Opened while workers are waited for.
    foreign
        Open files that workers must not keep.
    fork
        Whether to fork them; None decides by what is safe.
    """

    def __init__(
        self,
        pipeline: Converter,
        settings: Settings,
        *,
        jobs: int,
        gate: InterruptGate,
        timeout: float | None = None,
        foreign: Iterable[int] = (),
        fork: bool | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._jobs = jobs
        self._gate = gate
        self._timeout = timeout
        self._foreign = list(foreign)
        self._fork = fork
        self._workers: list[_Worker] = []
        self._started = 0
        self._failed_starts = 0
        self._unstarted_chunks: deque[list[Task]] = deque()
        """Chunks of workers that did not come to life."""
        self._retries: deque[Task] = deque()
        """Sources at which a worker died, perhaps: each is tried alone."""
        self._abandoned: list[tuple[str, list[Task]]] = []
        self._selector = selectors.DefaultSelector()
        self._failure: TonearmError | None = None

    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield what was prepared, as it comes."""
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
        """Have all workers leave their work, kill those that do not, and yield what was finished."""
        deadline = time.monotonic() + STOP_TIMEOUT
        for worker in self._workers:
            self._end(worker)
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

    def _end(self, worker: _Worker) -> None:
        """Tell a worker to leave."""
        worker.process.finish_sending()
        if not worker.idle:
            worker.process.signal(signal.SIGTERM)

    def _feed(self, chunks: Chunks) -> None:
        """Give every idle worker something to do; start one where there is need of it."""
        idle = deque(worker for worker in self._workers if worker.idle)
        while (idle or len(self._workers) < self._jobs) and (self._retries or self._unstarted_chunks or len(chunks)):
            worker = idle.popleft() if idle else self._start()
            if worker is None:
                return
            worker.alone = bool(self._retries)
            if worker.alone:
                chunk = [self._retries.popleft()]
            else:
                chunk = self._unstarted_chunks.popleft() if self._unstarted_chunks else chunks.take()
            worker.chunk = {task.number: task for task in chunk}
            worker.published = {}
            worker.idle = worker.late = False
            worker.heard = time.monotonic()
            # One that has died meanwhile is found out when we listen to it.
            worker.process.send(chunk)

    def _start(self) -> _Worker | None:
        """Start a worker; None if the system has no room for one more, and others can do the work."""
        self._started += 1
        owner_id = f"{self._settings.owner_id}{self._started & 0xFFFF:04x}"
        foreign = [*self._foreign, *(worker.process.connection.fileno() for worker in self._workers)]
        foreign.append(self._selector.fileno() if hasattr(self._selector, "fileno") else -1)
        settings = msgspec.structs.replace(self._settings, owner_id=owner_id)
        try:
            process = start(self._pipeline, settings, foreign, fork=self._fork)
        except OSError as error:
            if any(not worker.idle for worker in self._workers):
                return None
            reason = (error.strerror or str(error)).lower()
            raise WorkerError(f"a worker process could not start: {reason}", hint="fewer --jobs") from error
        worker = _Worker(process, self._started)
        self._workers.append(worker)
        self._selector.register(process.connection, selectors.EVENT_READ, worker)
        return worker

    def _listen(self, wait: float = POLL_INTERVAL, *, stopping: bool = False) -> Batch:
        """Return what workers have finished; look after those that are gone, or say nothing for too long."""
        batch: Batch = []
        if stopping:
            heard = self._selector.select(wait)
        else:
            due = min((self._due(worker) for worker in self._workers), default=math.inf)
            wait = min(wait, max(0.0, due - time.monotonic()))
            with self._gate.opened:
                heard = self._selector.select(wait)
        for worker in self._workers:
            worker.process.close_if_ended()
        for key, _ in heard:
            worker = key.data
            messages = worker.process.receive()
            if messages is None:
                batch += self._reap(worker, stopping=stopping)
                continue
            worker.heard = time.monotonic()  # half a message is a sign of life, too
            for message in messages:
                batch += self._handle(worker, message)
        if self._timeout and not stopping:
            now = time.monotonic()
            for worker in self._workers:
                if now >= self._due(worker):
                    worker.late = True
                    worker.process.signal(signal.SIGKILL)
        return batch

    def _due(self, worker: _Worker) -> float:
        """Return until when a worker may be silent: for ever if it has nothing to do, or was killed for it."""
        if worker.idle or worker.late or not self._timeout:
            return math.inf
        # A source has its time from when somebody is there to read it.
        return worker.heard + (self._timeout if worker.ready else max(self._timeout, START_TIMEOUT))

    def _handle(self, worker: _Worker, message: Message) -> Batch:
        if not worker.ready:
            worker.ready = True  # its first words; it has its first chunk already
            self._failed_starts = 0
            return []
        for prepared in message.batch:
            number = prepared.task.number
            if prepared.last:
                worker.chunk.pop(number, None)
            else:
                worker.published.setdefault(number, set()).update((item.key, item.index) for item in prepared.items)
        if message.output_error:
            text, hint = message.output_error
            self._failure = OutputError(text, hint=hint)
        elif message.bug:
            self._failure = WorkerError(f"a worker failed, which is a mistake in tonearm:\n{message.bug}", code="bug")
        worker.idle = message.idle
        return message.batch

    def _reap(self, worker: _Worker, *, stopping: bool) -> Batch:
        """Take leave of a worker that is gone; return the failure of a source that had a second chance already."""
        self._selector.unregister(worker.process.connection)
        self._workers.remove(worker)
        status, worker.kept_running = worker.process.reap(EXIT_TIMEOUT)
        unfinished = [self._remaining(worker, task) for task in worker.chunk.values()]
        if unfinished or worker.published:
            self._abandoned.append((worker.process.owner_id, unfinished))
        if stopping:
            return []
        if not worker.ready:
            self._unstarted_chunks.append(unfinished)
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                message = f"{self._failed_starts} worker processes could not start, the last: {_describe_exit(status)}"
                self._failure = WorkerError(message, hint="--jobs 0 shows why")
            return []
        if worker.alone:
            return [PreparedSource(task=task, failures=[self._failure_of(task, status, worker)]) for task in unfinished]
        self._retries += unfinished
        return []

    def _remaining(self, worker: _Worker, task: Task) -> Task:
        """Return what is left to do of a source, some parts of which may have come."""
        came = worker.published.get(task.number)
        return msgspec.structs.replace(task, skip=task.skip | came) if came else task

    def _failure_of(self, task: Task, status: int, worker: _Worker) -> Failure:
        if worker.late:
            message = f"it took longer than {self._timeout:g} s, twice"
            return Failure(task.name, "", 0, "timeout", message, "--timeout S gives it more")
        if worker.kept_running:
            message = "its process closed its connection to the run, twice"
            return Failure(task.name, "", 0, "worker-died", message, "a plugin closes files that are not its own")
        hint = "--jobs 0 --debug shows what happens, in one process"
        if status == -signal.SIGKILL:
            hint = "out of memory, most likely: fewer --jobs"
        return Failure(
            task.name, "", 0, "worker-died", f"its process was ended by {_describe_exit(status)}, twice", hint
        )

    def _sweep_abandoned(self) -> None:
        """Remove the temporaries of workers that are gone; what they finished is published by now."""
        debris, self._abandoned = self._abandoned, []
        for owner_id, tasks in debris:
            folders = {output_folder(output, source_of(task)) for output in self._pipeline.outputs for task in tasks}
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
