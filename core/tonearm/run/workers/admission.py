"""Admission of a process, anywhere, to a run: it loads the pipeline once, however often it gets the work.

Before that, it proves that it has the versions of the run and sees its output folder. When the run has ended, or was
killed, the process releases what it holds.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator

from tonearm.errors import TonearmError, UsageError, one_line
from tonearm.errors.text import describe_exception
from tonearm.plugins.executor import Results, Work
from tonearm.run.store.store import Store
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError, does_not_see, of_worker
from tonearm.run.workers.health import Health
from tonearm.run.workers.tickets import (
    Ticket,
    difference,
    python_version,
    sizes_of,
    this_process,
    unseen_file,
    versions_for,
)
from tonearm.startup import keep_freed_memory, return_freed_memory

IDLE_SECONDS = 60.0
"""Time in seconds after its last chunk for which a process keeps a pipeline loaded, and holds temporaries."""

MAX_ENDED_RUNS = 1000
"""Largest number of runs that have ended, and whose late chunks a process does not begin."""


class _Process:
    """The runs that this process works for. A fork of it works for none.

    Attributes
    ----------
    lock
        Lock of everything here. No file is touched while it is held. Who waits for it to be notified waits for the
        last run to go.
    admitted
        Work by the mark of its run.
    ended
        Marks of runs that have ended, in order.
    is_watched
        Whether a thread looks for work that is idle.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all runs."""
        self.lock = threading.Condition(threading.Lock())
        self.admitted: dict[str, AdmittedWork] = {}
        self.ended: dict[str, None] = {}
        self.is_watched = False

    def find(self, ticket: Ticket) -> AdmittedWork:
        """Return the work that a ticket stands for. The caller holds the lock."""
        work = self.admitted.get(ticket["mark"])
        if work is None:
            work = self.admitted[ticket["mark"]] = AdmittedWork(ticket)
            if not self.is_watched:
                with contextlib.suppress(RuntimeError):  # no more threads: it is kept until it is told to leave
                    threading.Thread(target=_release_idle, name="tonearm-idle", daemon=True).start()
                    self.is_watched = True
        return work


_process = _Process()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.reset)


def admit(ticket: Ticket) -> Work:
    """Return the work that a ticket stands for: the same object whenever this process gets the ticket."""
    with _process.lock:
        return _process.find(ticket)


def end_work(mark: str) -> None:
    """End the work of a run in this process: no further source is begun, and what it holds is released."""
    with _process.lock:
        _process.ended[mark] = None
        if len(_process.ended) > MAX_ENDED_RUNS:
            del _process.ended[next(iter(_process.ended))]
        work = _process.admitted.get(mark)
        left = None if work is None else work.stop()
    _close(left, mark)


def _release_idle() -> None:
    """Release work that has had no chunk for a while, because its run was killed, until there is none."""
    while True:
        with _process.lock:
            if _process.admitted:
                _process.lock.wait(IDLE_SECONDS / 4)
            _process.is_watched = bool(_process.admitted)
            if not _process.is_watched:
                return
            due = time.monotonic() - IDLE_SECONDS
            idle = {mark: work for mark, work in _process.admitted.items() if work.idle_since <= due}
            left = {mark: work.release() for mark, work in idle.items()}
        for mark, loaded in left.items():
            _close(loaded, mark)


def _close(loaded: LoadedWork | None, mark: str) -> None:
    """Close the work of a run that was released. Errors are of no interest to anybody any more."""
    if loaded is not None:
        with contextlib.suppress(Exception):
            loaded.close(mark)
        if not _process.admitted:
            return_freed_memory()


@contextlib.contextmanager
def _at_work(ticket: Ticket, worker: str) -> Iterator[tuple[AdmittedWork, LoadedWork | None, ChunkResults]]:
    """Give the work for one chunk: what was loaded, or if there is none, the results that say why."""
    mark = ticket["mark"]
    with _process.lock:
        work = _process.find(ticket)
        has_ended = mark in _process.ended
        work.begin()
    try:
        if has_ended:
            yield work, None, ChunkResults(worker=worker, ended_early=True)
        else:
            loaded, error = work.load(worker)
            if loaded is not None and mark in _process.ended:
                loaded.stopping = True
            yield work, loaded, ChunkResults(worker=worker, error=error)
    finally:
        with _process.lock:
            left = work.finish()
        _close(left, mark)


class AdmittedWork(Work):
    """The work of a run in a process of its own choice.

    Parameters
    ----------
    ticket
        Ticket.

    Attributes
    ----------
    idle_since
        Time when the last chunk ended; infinite while one is at work.
    """

    def __init__(self, ticket: Ticket) -> None:
        self.idle_since = time.monotonic()
        self._ticket = ticket
        self._active = 0
        self._goes = False
        """Whether it is released when no chunk is at work."""
        self._loading = threading.Lock()
        self._loaded: LoadedWork | None = None
        self._error: TonearmError | None = None
        self._health: Health | None = None

    def __reduce__(self) -> tuple[Callable[[Ticket], Work], tuple[Ticket]]:
        """Pickle the ticket."""
        return admit, (self._ticket,)

    def __call__(self, chunk: object, worker: str = "") -> Results:
        """Work at a chunk, and return all results."""
        name = worker or this_process()
        with _at_work(self._ticket, name) as (work, loaded, refused):
            return refused if loaded is None else work.judge(loaded(chunk, name))

    def stream(
        self, chunk: object, alive: Callable[[Results], None] | None = None, worker: str = ""
    ) -> Iterator[Results]:
        """Yield what is finished early."""
        name = worker or this_process()
        with _at_work(self._ticket, name) as (work, loaded, refused):
            if loaded is None:
                yield refused
            else:
                yield from map(work.judge, loaded.stream(chunk, alive, name))

    def leave(self) -> Callable[[], None]:
        """Return a function that ends the work of the run in the process that calls it."""
        return functools.partial(end_work, self._ticket["mark"])

    # With the lock of the process

    def begin(self) -> None:
        """Note that a chunk is at work."""
        self._active += 1
        self.idle_since = float("inf")

    def finish(self) -> LoadedWork | None:
        """Note that a chunk is no longer at work, and return what is to be closed now, if anything is."""
        self._active -= 1
        if self._active:
            return None
        self.idle_since = time.monotonic()
        return self.release() if self._goes or self._ticket["mark"] in _process.ended else None

    def stop(self) -> LoadedWork | None:
        """Begin no further source, and return what is to be closed now, if anything is."""
        if self._loaded is not None:
            self._loaded.stopping = True
        return self.release()

    def release(self) -> LoadedWork | None:
        """Leave the process as soon as no chunk is at work, and return what is to be closed now, if anything is."""
        self._goes = True
        if self._active:
            return None
        if _process.admitted.get(self._ticket["mark"]) is self:
            del _process.admitted[self._ticket["mark"]]
            if not _process.admitted:
                _process.lock.notify_all()
        loaded, self._loaded = self._loaded, None
        return loaded

    # While a chunk is at work

    def judge(self, results: Results) -> Results:
        """Return results of a chunk; in place of an error that this process is to blame for, that it is not fit."""
        error = getattr(results, "error", None)
        if error is None or self._health is None or not self._health.explains(error):
            return results
        self._goes = True  # so that the next chunk finds everything new
        return ChunkResults(owner=results.owner, worker=results.worker, unfit=error.message)

    def load(self, worker: str) -> tuple[LoadedWork | None, TonearmError | None]:
        """Load the pipeline, unless that was done before, or this process cannot work for the run."""
        with self._loading:
            if self._loaded is None and self._error is None:
                self._error = difference(self._ticket, worker) or self._load(worker)
            return self._loaded, self._error

    def _load(self, worker: str) -> TonearmError | None:
        try:
            store, content = pickle.loads(self._ticket["content"])  # noqa: S301 - from the run
            assert isinstance(store, Store)
            if not store.sees(self._ticket["mark"]):
                return does_not_see(worker, self._ticket["root"], "the output folder is")
            if path := unseen_file(self._ticket):
                return does_not_see(worker, path, "the files that options name are")
            self._release_dead_runs(store)
            kind, pipeline, settings = pickle.loads(content)  # noqa: S301
            loaded: LoadedWork = kind(pipeline, store, settings)
            unseen = next(loaded.unseen(), None)
            if unseen is not None:
                return does_not_see(worker, *unseen)
            loaded.preflight()
            keep_freed_memory()
            loaded.health = self._health = Health()
            self._loaded = loaded
        except TonearmError as error:
            return of_worker(error, worker)
        except (Exception, SystemExit) as error:
            message = f"worker {one_line(worker)} cannot load the pipeline: {describe_exception(error)}"
            hint = "install there what the pipeline's plugins import"
            if isinstance(error, AttributeError):  # the class of a plugin is not in its module
                hint = "put the plugins into a module that is installed there: workers do not have your script"
            return WorkerError(message, hint=hint)
        return None

    def _release_dead_runs(self, store: Store) -> None:
        """Release what is left of runs into the same folder that were killed."""
        root = self._ticket["root"]
        with _process.lock:
            others = [mark for mark, other in _process.admitted.items() if other is not self and other.is_into(root)]
        for mark in others:
            if not store.is_held(mark):
                with _process.lock:
                    other = _process.admitted.get(mark)
                    left = None if other is None else other.release()
                _close(left, mark)

    def is_into(self, root: str) -> bool:
        """Return whether the outputs of the run go into a folder."""
        return self._ticket["root"] == root


class LoadedWork(Work):
    """Work that a process has loaded for itself: it is made of the pipeline, the store and the settings.

    Attributes
    ----------
    health
        Health of this process, if another one can take over its work; else None.
    """

    health: Health | None = None

    @abstractmethod
    def preflight(self) -> None:
        """Check that this process has what the plugins need."""

    @abstractmethod
    def unseen(self) -> Iterator[tuple[str, str]]:
        """Yield the paths that the run needs, besides the output folder, and this process does not see.

        Each comes with what it is, with its verb: ``the quarantine is``.
        """

    @abstractmethod
    def close(self, mark: str = "") -> None:
        """Release the temporaries that the threads of this process hold. No work goes on.

        Parameters
        ----------
        mark
            Mark of the run, in a process that was admitted to it: if nobody holds that, the run was killed, and the
            next one has to look for temporaries.
        """


def ticket_for(
    store: Store,
    plugins: list[tuple[str, str]],
    files: Iterable[str],
    kind: type[LoadedWork],
    pipeline: object,
    settings: object,
) -> Ticket:
    """Return the ticket with which other processes work for a run.

    Parameters
    ----------
    store
        Store of the outputs, in which a mark is left.
    plugins
        Plugins of the pipeline, each with its package and version.
    files
        Paths of the files that the pipeline's options name.
    kind
        Class of the work, which takes the pipeline, the store and the settings.
    pipeline, settings
        Pipeline and settings.

    Raises
    ------
    UsageError
        If the pipeline's plugins cannot be pickled.
    OutputError
        If the store cannot be written.
    """
    try:
        content = pickle.dumps((store, pickle.dumps((kind, pipeline, settings), 5)), 5)
    except Exception as error:  # of a plugin's own, too
        raise UsageError(
            f"the pipeline's plugins cannot be sent to workers: {describe_exception(error)}",
            code="not-importable",
            hint="put the plugins into a module that workers can import",
        ) from error
    return Ticket(
        mark=store.mark(),
        python=python_version(),
        packages=versions_for(label for _, label in plugins),
        root=os.path.abspath(store.scratch),
        files=sizes_of(files),
        content=content,
    )
