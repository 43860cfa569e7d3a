"""The base class of executors, which do the work of a run, and what passes between them and the run.

The run cuts its tasks into chunks and hands them to an executor. The executor sends each of them to a worker anywhere:
a thread, a process, or another machine. The run does everything that all executors would need: it decides how
large a chunk is, how many are in flight, what is tried again and what took too long, and it removes what dead workers
left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import ClassVar, Generic, TypeAlias

from msgspec import Struct

from tonearm.plugins.plugin import Opts, Plugin

Handle: TypeAlias = Hashable
"""Name that an executor gives to a chunk in flight, such as a future."""


class Results(Struct, frozen=True, kw_only=True):
    """Finished work on a chunk. An executor passes it on as it is.

    Parameters
    ----------
    owner
        Id of the owner of the temporaries of the worker, eight hex digits; empty if no worker is known.
    worker
        Name of the worker, for people; empty if it has none.
    last
        Whether nothing more of the chunk will come.
    """

    owner: str = ""
    worker: str = ""
    last: bool = True


class Died(Struct, frozen=True):
    """The end of a worker, or of the work on one chunk, without all results.

    Parameters
    ----------
    reason
        What happened, for the message of a failed item: ``its process was ended by SIGSEGV``.
    owner
        Id of the owner of the temporaries of the worker, if that is gone: the run removes what it left. Empty if the
        worker goes on, or if its id is not known.
    taken_away
        Whether the worker was taken away, as a cluster does, so that no item is at fault.
    hint
        Advice in prose.
    """

    reason: str
    owner: str = ""
    taken_away: bool = False
    hint: str = ""


class Work(ABC):
    """The work of a run: a function of chunks, which may be called in any thread.

    It can be pickled and sent to other processes, on this machine or another one, again and again: a process loads the
    pipeline once. There it first proves that the process has the same versions of Python, tonearm and the plugins'
    packages as the run, and sees its output folder, its quarantine and the files that options name; if not, its results
    end the run. Each thread gets a copy of the pipeline of its own, so that plugins need not be safe for threads.

    Attributes
    ----------
    stopping
        Whether the run ends, so that chunks are cancelled for no fault of theirs.
    """

    stopping: bool = False

    @property
    def holds_interpreter(self) -> tuple[str, ...]:
        """Names of the plugins that hold Python's interpreter most of the time; they are known in the run's process.

        Threads of one process wait for one another there.
        """
        return ()

    @abstractmethod
    def __call__(self, chunk: object, worker: str = "") -> Results:
        """Work at a chunk, and return all results. It never raises an error.

        Parameters
        ----------
        chunk
            Chunk.
        worker
            Name of the worker in messages; host and process id if empty.
        """

    @abstractmethod
    def stream(
        self, chunk: object, alive: Callable[[Results], None] | None = None, worker: str = ""
    ) -> Iterator[Results]:
        """Yield what is finished early, about every 50 ms. It never raises an error.

        What it yields first is without results, and names the owner of the worker's temporaries.

        Parameters
        ----------
        chunk
            Chunk.
        alive
            Function that is called with a sign of life while a source takes long, at most four times a second. It may
            send it to the run.
        worker
            Name of the worker in messages; host and process id if empty.
        """

    def versions(self) -> Mapping[str, str]:
        """Return the versions that each process must have, of ``Python`` and of packages by name.

        The work compares them itself. An executor may do so before, if it can ask its workers.
        """
        return {}

    def is_retry(self, chunk: object) -> bool:  # noqa: ARG002 - of no chunk, unless the work knows better
        """Return whether a worker has died at the chunk before, which is now one source.

        It should be at work in a process alone: if that dies, too, the source is at fault.
        """
        return False

    @abstractmethod
    def leave(self) -> Callable[[], None]:
        """Return a function to be called in each process that has worked, when the run ends. It can be pickled.

        It has the work at chunks end before the next source, and releases the temporaries when none goes on. Chunks
        that come later are not begun. A process in which nobody calls it releases what it holds by itself, some time
        after its last chunk, and loads it again for the next one.
        """


class Executor(Plugin[Opts], Generic[Opts]):
    """A plugin that distributes the chunks of a run to workers.

    An instance serves one run. The run calls its methods from one thread.

    Attributes
    ----------
    isolates
        Whether a crash ends only a worker, and a chunk that hangs can be killed. A run has a timeout only then.
    chunk_seconds
        Work in a chunk in seconds that suits the executor: long compared with handing a chunk over. It may change
        during a run, for example with the number of workers.
    """

    role = "executor"
    port_names = ("options",)
    isolates: ClassVar[bool] = False
    chunk_seconds: float = 0.25

    @abstractmethod
    def open(self, work: Work, slots: int) -> None:
        """Start, before the first chunk.

        Parameters
        ----------
        work
            Function to call with each chunk.
        slots
            Largest number of chunks that are in flight at once, unless `capacity` says more.
        """

    def capacity(self) -> int | None:
        """Return how many chunks in flight keep the workers busy now; None if that is the number of `open`.

        It may change during a run, and counts only if the user has given no number of jobs.
        """
        return None

    def notes(self) -> list[str]:
        """Return what people should know and have not been told: the address of a dashboard, a worker that is lost."""
        return []

    @abstractmethod
    def submit(self, chunk: object) -> Handle:
        """Start work on a chunk, and return a name for it. The run may call this while it iterates over `wait`."""

    @abstractmethod
    def wait(self, seconds: float) -> Iterator[tuple[Handle, Results | Died]]:
        """Yield results of chunks as they come, and wait if there are none.

        `Results()` with ``last=False`` is a sign of life; a chunk that waits for a worker should give one, too. The run
        may leave the iterator unfinished: what it has not taken comes from the next one.

        Parameters
        ----------
        seconds
            Longest time to wait in seconds. An executor that works within this method may take longer.
        """

    @abstractmethod
    def cancel(self, handle: Handle) -> None:
        """Stop work at a chunk as soon as possible. What was finished may still come."""

    @abstractmethod
    def close(self) -> None:
        """End all work, and return when none goes on. The run then calls `wait` once more for what was finished."""
