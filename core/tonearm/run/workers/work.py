"""The work of a run as executors get it: a function of chunks that prepares their tasks with a pipeline."""

from __future__ import annotations

import copy
import functools
import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from tonearm.errors import TonearmError, UsageError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.provenance import files_of, plugins_of
from tonearm.plugins.executor import Results
from tonearm.plugins.progress import Progress
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.prepared import PreparedSource
from tonearm.run.store.output_paths import output_folder
from tonearm.run.store.store import Store
from tonearm.run.tasks import Task
from tonearm.run.workers.admission import LoadedWork, admit, end_work, ticket_for
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError, of_worker
from tonearm.run.workers.flush_timer import FlushTimer
from tonearm.run.workers.health import Health
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.tickets import Ticket

LIFE_SECONDS = 0.25
"""Least time between two signs of life in seconds."""


class PipelineWork(LoadedWork):
    """The work of a run: preparing tasks with a pipeline.

    The thread that made the object works with the pipeline itself, and every other thread with a copy of it.

    Parameters
    ----------
    pipeline
        Pipeline.
    store
        Store of the outputs.
    settings
        Settings of the preparers.
    gate
        Gate of the run, or of the worker, that this thread has entered; None if it has entered none.

    alive
        Function of any arguments that is called whenever work in this process goes on; None for none.

    Attributes
    ----------
    stopping
        Whether work in this process ends before the next task, because the run stops.
    retried
        Numbers of the tasks that a worker has died at.
    health
        Health of this process, if another one can take over its work; else None.
    """

    def __init__(
        self,
        pipeline: Converter,
        store: Store,
        settings: Settings,
        gate: InterruptGate | None = None,
        alive: Callable[..., None] | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.store = store
        self.settings = settings
        self.gate = gate or InterruptGate()
        self.stopping = False
        self.health: Health | None = None
        self._home = _thread() if gate else None
        self._alive = alive
        self._own = threading.local()
        self._preparers: list[Preparer] = []
        self.retried: set[int] = set()
        self._ticket: Ticket | None = None

    @property
    def holds_interpreter(self) -> tuple[str, ...]:
        """Names of the plugins that hold Python's interpreter most of the time."""
        return self.pipeline.checked.interpreter_holders()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a ticket with which another process works for the run."""
        return admit, (self._ticket_of_run(),)

    def _ticket_of_run(self) -> Ticket:
        if self._ticket is None:
            if self.settings.quarantine is not None:
                self.settings.quarantine.mark()
            checked = self.pipeline.checked
            self._ticket = ticket_for(
                self.store, plugins_of(checked), files_of(checked), PipelineWork, self.pipeline, self.settings
            )
        return self._ticket

    def versions(self) -> Mapping[str, str]:
        """Return the versions that each process must have, of ``Python`` and of packages by name."""
        ticket = self._ticket_of_run()
        return {"Python": ticket["python"], **ticket["packages"]}

    def is_retry(self, chunk: Any) -> bool:
        """Return whether a worker has died at the chunk before."""
        return any(task.number in self.retried for task in chunk)

    def unseen(self) -> Iterator[tuple[str, str]]:
        """Yield the quarantine, if this process does not see it."""
        quarantine = self.settings.quarantine
        if quarantine is not None and not quarantine.is_seen():
            yield quarantine.path, "the quarantine is"

    def leave(self) -> Callable[[], None]:
        """Return a function that ends the work of the run in the process that calls it."""
        return functools.partial(end_work, self._ticket["mark"] if self._ticket else "")

    def __call__(self, chunk: object, worker: str = "") -> ChunkResults:
        """Work at a chunk, and return all results."""
        sources: list[PreparedSource] = []
        results = ChunkResults()
        for results in self.stream(chunk, worker=worker):
            sources += results.sources
        return replace(results, sources=sources)

    def stream(
        self, chunk: object, alive: Callable[[Results], None] | None = None, worker: str = ""
    ) -> Iterator[ChunkResults]:
        """Yield what is finished early. Ctrl-C passes through, after what was finished."""
        error = None
        try:
            owner = self.owner()
            yield ChunkResults(owner=owner, worker=worker, last=False)
            live = None if alive is None else (lambda: alive(self.sign_of_life(owner, worker)))
            for sources in self.batches(chunk, live):
                yield ChunkResults(owner=owner, worker=worker, last=False, sources=sources)
        except TonearmError as raised:
            error = of_worker(raised, worker)
        except Exception:
            subject = f"worker {one_line(worker)}" if worker else "a worker"
            message = f"{subject} failed, which is a bug in tonearm:\n{traceback.format_exc()}"
            error = WorkerError(message, code="bug")
        yield self.end(error, worker)

    def sign_of_life(self, owner: str, worker: str = "") -> ChunkResults:
        """Return what tells the run that this thread goes on with a chunk, and how far it is.

        Parameters
        ----------
        owner
            Id of the owner of the worker's temporaries.
        worker
            Name of the worker.
        """
        progress, self._own.progress = getattr(self._own, "progress", None), None
        return ChunkResults(owner=owner, worker=worker, last=False, progress=progress)

    def end(self, error: TonearmError | None = None, worker: str = "") -> ChunkResults:
        """Return the last results of the chunk that this thread worked at."""
        preparer = getattr(self._own, "preparer", None)
        owner = preparer.owner.id if preparer else ""
        ended_early = getattr(self._own, "ended_early", False)
        return ChunkResults(owner=owner, worker=worker, error=error, ended_early=ended_early)

    def batches(self, chunk: object, alive: Callable[[], None] | None = None) -> Iterator[list[PreparedSource]]:
        """Yield prepared sources batch by batch. An error is raised after what was finished before it."""
        preparer = self._preparer()
        if alive is not None:
            preparer.on_life = self._noting_progress(_at_intervals(alive))
        else:  # whoever waits for life in the thread of the run is called in no other
            preparer.on_life = self._alive if self._home == _thread() else None
        timer = FlushTimer(flush_failures=self.settings.flush_failures)
        batch: list[PreparedSource] = []
        try:
            for prepared in self._prepare(preparer, chunk):
                batch.append(prepared)
                if timer.is_due(prepared):
                    ready, batch = batch, []
                    yield ready
                    timer.restart()
        except GeneratorExit:
            raise
        except BaseException:
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    def _noting_progress(self, alive: Callable[..., None]) -> Callable[..., None]:
        """Return a function that notes progress for the next sign of life, and then calls another one."""
        own = self._own

        def note(*reports: Progress) -> None:
            own.progress = reports[-1] if reports else None
            alive()

        return note

    def _prepare(self, preparer: Preparer, chunk: Any) -> Iterator[PreparedSource]:
        """Yield the outcome of each task. If the run may stop at a failure, the chunk ends there."""
        failed = False
        self._own.ended_early = True
        for task in chunk:
            if self.stopping or failed:
                return
            for prepared in preparer.prepare(task):
                failed = self.settings.flush_failures and bool(prepared.failures)
                yield prepared
        self._own.ended_early = False

    def _preparer(self) -> Preparer:
        """Return the preparer of this thread."""
        preparer: Preparer | None = getattr(self._own, "preparer", None)
        if preparer is None:
            if self._home == _thread():
                preparer = Preparer(self.pipeline, self.store, self.settings, self.gate)
            else:
                preparer = Preparer(self._copied_pipeline(), copy.copy(self.store), self.settings, InterruptGate())
            preparer.health = self.health
            self._own.preparer = preparer
            self._preparers.append(preparer)
        return preparer

    def _copied_pipeline(self) -> Converter:
        import pickle

        try:
            copied: Converter = pickle.loads(pickle.dumps(self.pipeline, 5))  # noqa: S301 - our own
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"the pipeline's plugins cannot be copied for a thread: {one_line(error)}",
                code="not-importable",
                hint="put the plugins into a module, or use the executor in-process",
            ) from error
        copied.preflight()
        return copied

    def owner(self) -> str:
        """Return the id of the owner of the temporaries of this thread."""
        return self._preparer().owner.id

    def preflight(self) -> None:
        """Check that this process has what the plugins need."""
        self.pipeline.preflight()

    def in_worker(self, gate: InterruptGate) -> PipelineWork:
        """Return the work for a worker process, whose thread has entered a gate."""
        return PipelineWork(self.pipeline, copy.copy(self.store), self.settings, gate)

    def close(self, mark: str = "") -> None:
        """Release the temporaries that the threads of this process hold. No work goes on."""
        is_killed = bool(mark) and not self.store.is_held(mark)
        for preparer in self._preparers:
            preparer.close(abandon=is_killed)

    def discard(self, sources: Iterable[PreparedSource]) -> None:
        """Remove the files of sources that will not be published."""
        self.store.discard(file for prepared in sources for item in prepared.items for file in item.files)

    def sweep(self, owner: str, tasks: Collection[Task]) -> bool:
        """Remove what a dead worker left, and return whether nobody held any of it.

        Parameters
        ----------
        owner
            Id of the owner of the worker's temporaries; empty for all that nobody holds.
        tasks
            Tasks that it did not finish; empty if they are not known.
        """
        folders = {output_folder(output, task.source()) for output in self.pipeline.outputs for task in tasks}
        known = [folder for folder in folders if folder is not None]
        return self.store.sweep(owner, known if known and len(known) == len(folders) else None)


def _thread() -> tuple[int, int]:
    """Return what identifies this thread: a fork has the thread's number, but another process."""
    return os.getpid(), threading.get_ident()


def _at_intervals(function: Callable[[], None]) -> Callable[..., None]:
    """Return a function, of any arguments, that calls another one at most once in `LIFE_SECONDS`."""
    due = time.monotonic() + LIFE_SECONDS

    def call(*_: object, **__: object) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + LIFE_SECONDS
            function()

    return call
