"""The executor of this machine: worker processes, each replaced when it dies or hangs."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from tonearm.batch.executor import Batch, Chunks, Executor
from tonearm.batch.messages import Failure, ItemName, Prepared, Task
from tonearm.batch.naming import output_folder
from tonearm.batch.plan import source_of
from tonearm.batch.prepare import Settings
from tonearm.batch.processes import Process, start
from tonearm.batch.temporaries import sweep
from tonearm.batch.worker import Message
from tonearm.errors import OutputError, TonearmError
from tonearm.pipeline import Pipeline

GRACE = 1.5
"""Seconds that a worker has to leave its work before it is killed."""


class WorkerError(TonearmError):
    """Workers cannot work at all: it is no item's fault."""

    default_code = "broken-worker"


class _Worker:
    """A worker, and what it is at."""

    def __init__(self, process: Process, number: int) -> None:
        self.process = process
        self.number = number
        self.chunk: dict[int, Task] = {}
        self.alone = False
        self.heard = time.monotonic()
        self.ready = False
        self.idle = True
        self.late = False
        self.published: dict[int, set[ItemName]] = {}
        """Items of large sources of which parts have come."""


class Local(Executor):
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
    foreign
        Open files that workers must not keep.
    fork
        Whether to fork them; None decides by what is safe.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        settings: Settings,
        *,
        jobs: int,
        timeout: float | None = None,
        foreign: Iterable[int] = (),
        fork: bool | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._jobs = jobs
        self._timeout = timeout
        self._foreign = list(foreign)
        self._fork = fork
        self._workers: list[_Worker] = []
        self._started = 0
        self._retries: deque[Task] = deque()
        self._debris: list[tuple[str, list[Task]]] = []
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
            if batch:
                yield batch
            self._clear_up()
            if self._failure is not None:
                raise self._failure

    def stop(self) -> Iterator[Batch]:
        """Have all workers leave their work, kill those that do not, and yield what was finished."""
        deadline = time.monotonic() + GRACE
        for worker in self._workers:
            self._end(worker)
        batch: Batch = []
        while self._workers:
            left = deadline - time.monotonic()
            if left <= 0:
                for worker in self._workers:
                    worker.process.signal(signal.SIGKILL)
            batch += self._listen(max(left, 0.5), retry=False)
        if batch:
            yield batch
        self._clear_up()
        self._selector.close()

    def _end(self, worker: _Worker) -> None:
        """Tell a worker to leave."""
        worker.process.say_no_more()
        if not worker.idle:
            worker.process.signal(signal.SIGTERM)

    def _feed(self, chunks: Chunks) -> None:
        """Give every idle worker something to do; start one where there is need of it."""
        idle = deque(worker for worker in self._workers if worker.idle)
        while idle or len(self._workers) < self._jobs:
            alone = bool(self._retries)
            chunk = [self._retries.popleft()] if alone else chunks.take()
            if not chunk:
                return
            worker = idle.popleft() if idle else self._start()
            worker.chunk = {task.number: task for task in chunk}
            worker.published = {}
            worker.alone, worker.idle, worker.late = alone, False, False
            worker.heard = time.monotonic()
            # One that has died meanwhile is found out when we listen to it.
            worker.process.send(chunk)

    def _start(self) -> _Worker:
        self._started += 1
        mark = f"{self._settings.mark}{self._started & 0xFFFF:04x}"
        foreign = [*self._foreign, *(worker.process.connection.fileno() for worker in self._workers)]
        foreign.append(self._selector.fileno() if hasattr(self._selector, "fileno") else -1)
        settings = msgspec.structs.replace(self._settings, mark=mark)
        process = start(self._pipeline, settings, foreign, fork=self._fork)
        worker = _Worker(process, self._started)
        self._workers.append(worker)
        self._selector.register(process.connection, selectors.EVENT_READ, worker)
        return worker

    def _listen(self, wait: float | None = None, *, retry: bool = True) -> Batch:
        """Return what workers have finished; look after those that are gone, or say nothing for too long."""
        batch: Batch = []
        if wait is None and self._timeout:
            now = time.monotonic()
            times = [worker.heard + self._timeout - now for worker in self._workers if not worker.idle]
            wait = max(0.0, min(times, default=0.0))
        for key, _ in self._selector.select(wait):
            worker: _Worker = key.data
            messages = worker.process.receive()
            if messages is None:
                batch += self._bury(worker, retry=retry)
            else:
                for message in messages:
                    batch += self._heed(worker, message)
        if self._timeout and retry:
            now = time.monotonic()
            for worker in self._workers:
                if not worker.idle and not worker.late and now - worker.heard >= self._timeout:
                    worker.late = True
                    worker.process.signal(signal.SIGKILL)
        return batch

    def _heed(self, worker: _Worker, message: Message) -> Batch:
        if not worker.ready:
            worker.ready = True  # its first words; it has its first chunk already
            worker.heard = time.monotonic()
            return []
        worker.heard = time.monotonic()
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

    def _bury(self, worker: _Worker, *, retry: bool) -> Batch:
        """Take leave of a worker that is gone; return the failure of a source that had a second chance already."""
        self._selector.unregister(worker.process.connection)
        self._workers.remove(worker)
        worker.process.connection.close()
        status = worker.process.wait()
        unfinished = [self._rest(worker, task) for task in worker.chunk.values()]
        if unfinished or worker.published:
            self._debris.append((worker.process.mark, unfinished))
        if not retry:
            return []
        if not worker.ready:
            self._failure = WorkerError(f"a worker process could not start: {_how(status)}", hint="--jobs 0 shows why")
            return []
        if worker.alone:
            return [Prepared(task=task, failures=[self._failure_of(task, status, worker)]) for task in unfinished]
        self._retries += unfinished
        return []

    def _rest(self, worker: _Worker, task: Task) -> Task:
        """Return what is left to do of a source, some parts of which may have come."""
        came = worker.published.get(task.number)
        return msgspec.structs.replace(task, skip=task.skip | came) if came else task

    def _failure_of(self, task: Task, status: int, worker: _Worker) -> Failure:
        if worker.late:
            message = f"it took longer than {self._timeout:g} s, twice"
            return Failure(task.name, "", 0, "timeout", message, "--timeout S gives it more")
        hint = "--jobs 0 --debug shows what happens, in one process"
        if status == -signal.SIGKILL:
            hint = "out of memory, most likely: fewer --jobs"
        return Failure(task.name, "", 0, "worker-died", f"its process was ended by {_how(status)}, twice", hint)

    def _clear_up(self) -> None:
        """Remove the temporaries of workers that are gone; what they finished is published by now."""
        debris, self._debris = self._debris, []
        for mark, tasks in debris:
            folders = {output_folder(output, source_of(task)) for output in self._pipeline.outputs for task in tasks}
            if None in folders or not tasks:
                sweep(self._settings.root, mark, deep=True)
            else:
                for folder in folders:
                    sweep(os.path.join(self._settings.root, folder or ""), mark)  # noqa: PTH118


def _how(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
