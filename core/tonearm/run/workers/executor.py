"""What an executor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from tonearm.run.prepared import PreparedSource
from tonearm.run.workers.chunks import Chunks

Batch = list[PreparedSource]


class Executor(ABC):
    """Prepares chunks somewhere.

    It takes chunks as fast as it can work, and no faster, so that what is in flight is bounded. Of each task it gives
    back exactly one `PreparedSource` that is the last, whatever becomes of whoever worked on it. It publishes nothing.
    """

    @abstractmethod
    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield what was prepared, in any order; nothing at all now and then, so that time is seen to pass.

        Raises
        ------
        OutputError
            If the output side fails.
        """

    @abstractmethod
    def stop(self) -> Iterator[Batch]:
        """End all work; yield what was finished. No temporaries are left but those of what it yields."""
