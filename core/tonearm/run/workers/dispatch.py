"""The run's side of every executor: bounds, second attempts, timeouts, and the removal of what dead workers left."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterator
from typing import Any, TypeAlias

from tonearm.errors import TonearmError, one_line
from tonearm.plugins.executor import Died, Executor, Handle, Results
from tonearm.plugins.progress import Progress
from tonearm.reporting.worker_rates import WorkerRates
from tonearm.run.prepared import Failure, PreparedSource
from tonearm.run.tasks import Task
from tonearm.run.workers.chunk_in_flight import ChunkInFlight
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.sight import Sight
from tonearm.run.workers.work import PipelineWork

Batch: TypeAlias = list[PreparedSource]

POLL_INTERVAL = 1.0
"""Longest time in seconds without a batch, so that the run can show that time passes."""

STOP_TIMEOUT = 3.0
"""Time in seconds that work in flight has to stop when the run ends."""

CANCEL_TIMEOUT = 10.0
"""Time in seconds that an executor has to stop a chunk, before the run no longer waits for it."""

HELD_TIMEOUT = 10.0
"""Time in seconds that workers which were lost have to die, before the run ends and leaves their temporaries behind."""

DEBUG_HINT = "with the executor in-process, it happens in this process, under a debugger if you like"


class Dispatcher:
    """Has the tasks of a run prepared by an executor.

    For each task, exactly one `PreparedSource` that is the last comes back, whatever the executor does. It takes
    chunks only as fast as it works, so the amount of unpublished work is bounded. If a worker dies or hangs, each task
    of its chunk is tried again, alone. A source that fails again is at fault; the others are not affected.

    Parameters
    ----------
    executor
        Executor.
    work
        Work of the run.
    name
        Name of the executor in messages; empty for one that is our own, whose errors are bugs of tonearm.
    slots
        Largest number of chunks in flight.
    follows_capacity
        Whether the executor's capacity counts instead, if it has one.
    timeout
        Time in seconds that a chunk may take without a sign of life; None for no limit.
    on_progress
        Function that is called with the progress that signs of life carry; None if nobody wants it.
    on_note
        Function that is called with each note of the executor; None if nobody wants it.
    rates
        Workers that have names, with their rates, which are kept up to date here.
    """

    def __init__(
        self,
        executor: Executor[Any],
        work: PipelineWork,
        *,
        name: str = "",
        slots: int = 1,
        follows_capacity: bool = False,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_note: Callable[[str], None] | None = None,
        rates: WorkerRates | None = None,
    ) -> None:
        self._rates = rates or WorkerRates()
        self._on_progress = on_progress
        self._on_note = on_note
        self._follows_capacity = follows_capacity
        self._executor = executor
        self._work = work
        self._subject = f"the executor {name}" if name else ""
        self._slots = slots
        self._timeout = timeout or math.inf
        self._in_flight: dict[Hashable, ChunkInFlight] = {}
        self._retries: deque[Task] = deque()
        """Tasks that a worker may have died at."""
        self._again: deque[list[Task]] = deque()
        """Chunks that were not finished, and no task is at fault."""
        self._dead: list[tuple[str, list[Task]]] = []
        """Owners of temporaries that have died, each with the tasks whose temporaries may be left."""
        self._held: list[tuple[str, list[Task]]] = []
        """Those of them whose temporaries somebody held when they were to be removed, to be tried again at the end."""
        self._stopped: list[Task] = []
        """Tasks of chunks that were stopped with the run, and that a worker may have begun without coming to say so."""
        self._sight = Sight()
        self._next_due = -math.inf
        """Time before which no chunk is overdue, so that not every one is looked at whenever something comes."""
        self._is_open = False

    def results(self, chunks: Chunks) -> Generator[Batch, None, None]:
        """Yield prepared sources in any order, and empty batches.

        When an empty batch comes, those before it must be published at once. Others may wait for more.

        Raises
        ------
        TonearmError
            If no item is at fault, but the output side, the executor, or tonearm.
        """
        with self._as_worker_error():
            self._executor.open(self._work, self._slots)
        self._is_open = True
        self._pass_notes_on()
        self._feed(chunks)
        while self._in_flight:
            with self._work.gate.opened:  # an interrupt that the executor has not let through is raised here
                pass
            for handle, outcome in self._wait(self._patience()):
                batch, error = self._take(handle, outcome)
                chunks.learn(batch)
                may_stop = self._work.settings.flush_failures and any(prepared.failures for prepared in batch)
                if error is None and not may_stop:
                    self._feed(chunks)  # so that work goes on while the batch is published
                if batch:
                    yield batch
                if self._dead:
                    yield []
                    self.sweep_dead()
                if error is not None:
                    raise error
                self._feed(chunks)
            self._pass_notes_on()
            if batch := self._cancel_overdue():
                yield batch
            self._feed(chunks)
            yield []

    def stop(self) -> Iterator[Batch]:
        """Stop all work and yield what was finished."""
        if not self._is_open:
            return
        self._work.stopping = True
        error: Exception | None = None
        try:
            for handle in list(self._in_flight):
                with self._as_worker_error():
                    self._executor.cancel(handle)
            deadline = time.monotonic() + STOP_TIMEOUT
            while self._in_flight and (left := deadline - time.monotonic()) > 0:
                yield from self._finished(left)
        except Exception as raised:  # an executor that cannot stop its work is still closed
            error = raised
        try:
            with self._as_worker_error():
                self._executor.close()
            if self._in_flight and error is None:
                yield from self._finished(0.0)
        except Exception as raised:
            error = error or raised
        self._work.close()
        if self._in_flight:
            self._dead.append(("", []))  # nobody knows whose temporaries are left
        if error is not None:
            raise error

    def discard(self, batch: Batch) -> None:
        """Remove the files of a batch that will not be published."""
        self._work.discard(batch)

    def _finished(self, seconds: float) -> Iterator[Batch]:
        """Yield what is finished while the run stops. What was not will be done by the next run."""
        for handle, outcome in self._wait(seconds):
            if batch := self._take(handle, outcome, stopping=True)[0]:
                yield batch

    def _feed(self, chunks: Chunks) -> None:
        """Submit chunks while there is room."""
        slots = chunks.workers = self._room()
        chunks.seconds = self._executor.chunk_seconds
        while len(self._in_flight) < slots:
            is_retry = bool(self._retries)
            tasks = self._next_tasks(chunks)
            if not tasks:
                return
            if is_retry:
                self._work.retried.add(tasks[0].number)
            with self._as_worker_error():
                handle = self._executor.submit(tasks)
                if handle in self._in_flight:
                    raise ValueError(f"submit returned {handle!r} for two chunks in flight")
                self._in_flight[handle] = ChunkInFlight(tasks, is_retry=is_retry)

    def _room(self) -> int:
        """Return how many chunks may be in flight now; at least one, so that the run notices what comes."""
        if not self._follows_capacity:
            return self._slots
        with self._as_worker_error():
            capacity = self._executor.capacity()
            return self._slots if capacity is None else max(1, capacity)

    def _pass_notes_on(self) -> None:
        with self._as_worker_error():
            notes = [one_line(note) for note in self._executor.notes()]
        if self._on_note is not None:
            for note in notes:
                self._on_note(note)

    def _next_tasks(self, chunks: Chunks) -> list[Task]:
        """Return the tasks of the next chunk: of second attempts, one."""
        if self._retries:
            return [self._retries.popleft()]
        return self._again.popleft() if self._again else chunks.take()

    def _patience(self) -> float:
        """Return how long to wait: at most until the next chunk is overdue."""
        now = time.monotonic()
        if now >= self._next_due:
            self._next_due = min(map(self._due, self._in_flight.values()))
        return min(POLL_INTERVAL, max(0.0, self._next_due - now))

    def _due(self, chunk: ChunkInFlight) -> float:
        """Return the time when a chunk is overdue, or when its end is overdue after it was cancelled."""
        return chunk.last_heard + self._timeout if chunk.cancelled is None else chunk.cancelled + CANCEL_TIMEOUT

    def _wait(self, seconds: float) -> Iterator[tuple[Handle, ChunkResults | Died]]:
        """Yield what comes of chunks."""
        with self._as_worker_error():
            found = iter(self._executor.wait(seconds))
        try:
            while True:
                with self._as_worker_error():
                    pair = next(found, None)
                    if pair is None:
                        return
                    handle, outcome = pair
                    hash(handle)
                    if isinstance(outcome, Results) and not isinstance(outcome, ChunkResults):
                        outcome = ChunkResults(owner=outcome.owner, worker=outcome.worker, last=outcome.last)
                    if not isinstance(outcome, ChunkResults | Died):
                        raise TypeError(f"wait yielded {type(outcome).__name__}, neither Results nor Died")
                yield handle, outcome
        finally:
            with self._as_worker_error():
                getattr(found, "close", lambda: None)()

    def _take(
        self, handle: Handle, outcome: ChunkResults | Died, *, stopping: bool = False
    ) -> tuple[Batch, TonearmError | None]:
        """Return what is to be published of an outcome, and the error that ends the run, if there is one."""
        chunk = self._in_flight.get(handle)
        if isinstance(outcome, Died):
            chunk = self._in_flight.pop(handle, None)
            self._rates.end_chunk(handle, lost=True)
            self._note_dead(outcome.owner, chunk.remaining() if chunk else [], stopping=stopping)
            return ([] if stopping or chunk is None else self._try_again(chunk, outcome)), None
        if chunk is None:  # it was given up, or has come twice
            self._work.discard(outcome.sources)
            return [], outcome.error
        chunk.last_heard = time.monotonic()
        if outcome.progress is not None and self._on_progress is not None and not stopping:
            self._on_progress(outcome.progress)
        if outcome.owner and any(prepared.items for prepared in outcome.sources):
            self._work.store.take_over(outcome.owner)
        unseen = self._sight.error_of(outcome)
        if unseen is not None:
            if outcome.last:
                del self._in_flight[handle]
            return [], unseen
        batch = []
        for prepared in outcome.sources:
            if chunk.accept(prepared):
                batch.append(prepared)
            else:
                self._work.discard([prepared])
        self._rates.hear(outcome.worker, handle, sum(prepared.last for prepared in batch), last=outcome.last)
        if outcome.last:
            del self._in_flight[handle]
            batch += [] if stopping or outcome.error is not None else self._after(chunk, outcome)
        return batch, outcome.error

    def _note_dead(self, owner: str, tasks: list[Task], *, stopping: bool) -> None:
        """Note that temporaries of tasks may be left. The owner is empty if no worker has come to say that it began."""
        if owner:
            self._dead.append((owner, tasks))
        elif self._subject and stopping and tasks:
            self._stopped += tasks
        elif self._subject and ("", []) not in self._held:
            self._held.append(("", []))

    def _after(self, chunk: ChunkInFlight, outcome: ChunkResults) -> list[PreparedSource]:
        """Have what is left of a chunk done after its last results. Return failures of what was tried again already."""
        if not chunk.tasks:
            return []
        if outcome.ended_early and chunk.is_begun:
            self._again.append(chunk.remaining())
            return []
        reason = outcome.unfit or f"{self._subject or 'its worker'} returned no result for it"
        return self._try_again(chunk, Died(reason))

    def _try_again(self, chunk: ChunkInFlight, died: Died) -> list[PreparedSource]:
        """Have the rest of a chunk tried again, task by task. Return the failure of a task that was tried again."""
        remaining = chunk.remaining()
        is_fault = not died.taken_away or chunk.cancelled is not None
        if not is_fault and not chunk.is_retry:
            self._again += [remaining] if remaining else []
            return []
        if not is_fault or not chunk.is_retry:
            self._retries += remaining
            return []
        if chunk.cancelled is not None:
            code, reason, hint = "timeout", f"it took longer than {self._timeout:g} s", "set a longer timeout"
        else:
            code, reason, hint = "worker-died", one_line(died.reason), one_line(died.hint) or DEBUG_HINT
        return [
            PreparedSource(task=task, failures=[Failure(task.name, "", 0, code, f"{reason}, twice", hint)])
            for task in remaining
        ]

    def _cancel_overdue(self) -> list[PreparedSource]:
        """Cancel chunks without a sign of life, and give up those that were cancelled long ago."""
        batch: list[PreparedSource] = []
        now = time.monotonic()
        if now < self._next_due:
            return batch
        for handle, chunk in list(self._in_flight.items()):
            if now < self._due(chunk):
                continue
            if chunk.cancelled is None:
                chunk.cancelled = now
                with self._as_worker_error():
                    self._executor.cancel(handle)
            else:
                del self._in_flight[handle]
                self._rates.end_chunk(handle, lost=True)
                batch += self._try_again(chunk, Died("it could not be stopped"))
        return batch

    def sweep_dead(self, *, at_end: bool = False, patience: float = 0.0) -> None:
        """Remove the temporaries of dead workers. What they had finished must be published by now.

        Parameters
        ----------
        at_end
            Whether the run ends: those that a worker still held, which was lost but not yet dead, are tried again.
        patience
            Time in seconds to wait for such workers to die; an interrupt ends the wait.
        """
        dead, self._dead = self._dead, []
        if at_end:
            dead, self._held = dead + self._held, []
            dead += [("", self._stopped)] if self._stopped else []
        self._held += [(owner, tasks) for owner, tasks in dead if not self._work.sweep(owner, tasks)]
        deadline = time.monotonic() + patience
        while any(owner for owner, _ in self._held) and time.monotonic() < deadline and not self._work.gate.pending:
            time.sleep(0.05)
            self._held = [(owner, tasks) for owner, tasks in self._held if not self._work.sweep(owner, tasks)]

    @contextlib.contextmanager
    def _as_worker_error(self) -> Iterator[None]:
        """Turn errors of others' executors into `WorkerError`."""
        try:
            yield
        except (TonearmError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if not self._subject:
                raise
            message = f"{self._subject} failed: {type(error).__name__}: {one_line(error)}"
            raise WorkerError(message, hint="use the executor local, or tell its authors") from error
