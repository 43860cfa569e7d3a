"""The interface of executors, which do the work of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from tonearm.run.prepared import PreparedSource
from tonearm.run.workers.chunks import Chunks

Batch = list[PreparedSource]


class Executor(ABC):
    """Prepares chunks of tasks.

    An executor takes chunks only as fast as it can work, so the amount of unpublished work is bounded. For each task
    it returns exactly one `PreparedSource` that is the last, even if a worker dies. It publishes nothing.
    """

    @abstractmethod
    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield prepared sources in any order. Now and then an empty batch lets the run show that time passes.

        Raises
        ------
        OutputError
            If the output side fails.
        """

    @abstractmethod
    def stop(self) -> Iterator[Batch]:
        """Stop all work and yield what was finished. Only the temporaries of what is yielded are left."""
