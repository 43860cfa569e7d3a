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
from collections.abc import Callable, Iterator

from tonearm.errors import TonearmError, UsageError, one_line
from tonearm.plugins.executor import Results, Work
from tonearm.run.store.store import Store
from tonearm.run.workers.chunk_results import ChunkResults, WorkerError
from tonearm.run.workers.tickets import Ticket, difference, python_version, this_process, unseen, versions_for
from tonearm.startup import keep_freed_memory, return_freed_memory

IDLE_SECONDS = 60.0
"""Time in seconds after its last chunk for which a process keeps a pipeline loaded, and holds temporaries."""

_lock = threading.RLock()
_admitted: dict[str, AdmittedWork] = {}
"""Work of this process by the mark of its run."""
_pid = os.getpid()
"""Process that the work belongs to: a fork of it has none."""


def admit(ticket: Ticket) -> Work:
    """Return the work that a ticket stands for: the same object whenever this process gets the ticket."""
    global _pid
    with _lock:
        if _pid != os.getpid():
            _pid = os.getpid()
            _admitted.clear()
        work = _admitted.get(ticket["mark"])
        if work is None:
            for other in list(_admitted.values()):
                if other.root == ticket["root"]:  # a run holds the folder alone, so the other one has ended
                    other.end()
            work = _admitted[ticket["mark"]] = AdmittedWork(ticket)
            if len(_admitted) == 1:
                threading.Thread(target=_end_idle, name="tonearm-idle", daemon=True).start()
        return work


def end_work(mark: str) -> None:
    """End the work of a run in this process: no further source is begun, and what it holds is released."""
    with _lock:
        if _pid == os.getpid() and mark in _admitted:
            _admitted[mark].end()


def _end_idle() -> None:
    """End work that has had no chunk for a while, because its run was killed, until there is none."""
    while True:
        time.sleep(IDLE_SECONDS / 4)
        with _lock:
            if not _admitted:
                return
            for work in list(_admitted.values()):
                if work.idle_since + IDLE_SECONDS < time.monotonic():
                    work.end()


class AdmittedWork(Work):
    """The work of a run in a process of its own choice.

    Parameters
    ----------
    ticket
        Ticket.

    Attributes
    ----------
    root
        Absolute path of the output folder.
    idle_since
        Time when the last chunk ended; infinite while one is at work.
    """

    def __init__(self, ticket: Ticket) -> None:
        self.root = ticket["root"]
        self.idle_since = time.monotonic()
        self._ticket = ticket
        self._active = 0
        self._ended = False
        self._work: LoadedWork | None = None
        self._error: TonearmError | None = None
        self._loading = threading.Lock()

    def __reduce__(self) -> tuple[Callable[[Ticket], Work], tuple[Ticket]]:
        """Pickle the ticket."""
        return admit, (self._ticket,)

    def __call__(self, chunk: object, worker: str = "") -> Results:
        """Work at a chunk, and return all results."""
        with self._at_work(worker or this_process()) as (work, refused):
            return refused if work is None else work(chunk, worker or this_process())

    def stream(
        self, chunk: object, alive: Callable[[Results], None] | None = None, worker: str = ""
    ) -> Iterator[Results]:
        """Yield what is finished early."""
        name = worker or this_process()
        with self._at_work(name) as (work, refused):
            if work is None:
                yield refused
            else:
                yield from work.stream(chunk, alive, name)

    def leave(self) -> Callable[[], None]:
        """Return a function that ends the work of the run in the process that calls it."""
        return functools.partial(end_work, self._ticket["mark"])

    def end(self) -> None:
        """Begin no further source, and release what this process holds as soon as no chunk is at work."""
        with _lock:
            self._ended = True
            if self._work is not None:
                self._work.stopping = True
            if not self._active:
                self._close()

    def _close(self) -> None:
        _admitted.pop(self._ticket["mark"], None)
        if self._work is not None:
            self._work.close()
            if not _admitted:
                return_freed_memory()

    @contextlib.contextmanager
    def _at_work(self, worker: str) -> Iterator[tuple[LoadedWork | None, ChunkResults]]:
        """Give the work for one chunk, or the results of a process that is refused."""
        with _lock:
            self._active += 1
            self.idle_since = float("inf")
        try:
            with self._loading:
                if self._work is None and self._error is None:
                    self._load(worker)
            if self._work is not None and self._ended:
                self._work.stopping = True
            yield self._work, ChunkResults(worker=worker, error=self._error)
        finally:
            with _lock:
                self._active -= 1
                if not self._active:
                    self.idle_since = time.monotonic()
                    if self._ended:
                        self._close()

    def _load(self, worker: str) -> None:
        """Load the pipeline, unless this process cannot work for the run."""
        self._error = difference(self._ticket, worker)
        if self._error is not None:
            return
        try:
            store, content = pickle.loads(self._ticket["content"])  # noqa: S301 - from the run
            assert isinstance(store, Store)
            self._error = unseen(store, self._ticket, worker)
            if self._error is None:
                kind, pipeline, settings = pickle.loads(content)  # noqa: S301
                work: LoadedWork = kind(pipeline, store, settings)
                work.preflight()
                keep_freed_memory()
                self._work = work
        except TonearmError as error:
            message = f"worker {one_line(worker)}: {error.message}"
            self._error = WorkerError(message, code=error.code, hint=error.hint)
        except Exception as error:
            message = f"worker {one_line(worker)} cannot load the pipeline: {type(error).__name__}: {one_line(error)}"
            self._error = WorkerError(message, hint="install there what the pipeline's plugins import")


class LoadedWork(Work):
    """Work that a process has loaded for itself: it is made of the pipeline, the store and the settings."""

    @abstractmethod
    def preflight(self) -> None:
        """Check that this process has what the plugins need."""

    @abstractmethod
    def close(self) -> None:
        """Release the temporaries that the threads of this process hold. No work goes on."""


def ticket_for(
    store: Store, plugins: list[tuple[str, str]], kind: type[LoadedWork], pipeline: object, settings: object
) -> Ticket:
    """Return the ticket with which other processes work for a run.

    Parameters
    ----------
    store
        Store of the outputs, in which a mark is left.
    plugins
        Plugins of the pipeline, each with its package and version.
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
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"the pipeline's plugins cannot be sent to workers: {one_line(error)}",
            code="not-importable",
            hint="put the plugins into a module that workers can import",
        ) from error
    return Ticket(
        mark=store.mark(),
        python=python_version(),
        packages=versions_for(label for _, label in plugins),
        root=os.path.abspath(store.scratch),
        content=content,
    )
