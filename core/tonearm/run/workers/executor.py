"""What an executor is, chunks of a size that suits it, and the executor that works in this process."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.tasks import Prepared, Task
from tonearm.run.workers.interrupts import Gate

Batch = list[Prepared]

CHUNK_SECONDS = 0.25
"""Work in a chunk: long beside the cost of handing it over, short beside a person's patience."""

FLUSH_SECONDS = 0.05
"""How long finished sources wait for others to be published together."""

MOST_TASKS = 512
GROWTH = 4


class Chunks:
    """The sources of a run, cut into chunks by what sources were measured to cost.

    Parameters
    ----------
    tasks
        All of them.
    total
        How many.
    workers
        How many share them.
    """

    def __init__(self, tasks: Iterator[Task], total: int, workers: int) -> None:
        self._tasks = tasks
        self._left = total
        self._workers = max(1, workers)
        self._cost = 0.0
        self._size = 1

    def __len__(self) -> int:
        """Return how many sources are left to take."""
        return self._left

    def take(self) -> list[Task]:
        """Return the next chunk; an empty one when there are no more."""
        if self._cost:
            self._size = max(1, min(int(CHUNK_SECONDS / self._cost), GROWTH * self._size, MOST_TASKS))
        # Towards the end chunks shrink, so that all workers end together.
        size = max(1, min(self._size, self._left // (2 * self._workers)))
        chunk = []
        for task in self._tasks:
            chunk.append(task)
            if len(chunk) == size:
                break
        self._left -= len(chunk)
        return chunk

    def learn(self, batch: Batch) -> None:
        """Take note of what sources cost."""
        for prepared in batch:
            cost = max(prepared.seconds, 1e-5)
            # The first source of a worker pays for its imports, which is soon forgotten.
            self._cost = cost if not self._cost else 0.75 * self._cost + 0.25 * cost


class Executor(ABC):
    """Prepares chunks somewhere.

    It takes chunks as fast as it can work, and no faster, so that what is in flight is bounded. Of each task it gives
    back exactly one `Prepared` that is the last, whatever becomes of whoever worked on it. It publishes nothing.
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


class InProcess(Executor):
    """Works in this process, one source after another: nothing shields the run from a plugin that ends it.

    Parameters
    ----------
    pipeline, settings
        How to prepare.
    gate
        Opened while plugins work.
    """

    def __init__(self, pipeline: Converter, settings: Settings, gate: Gate) -> None:
        self._preparer = Preparer(pipeline, settings, gate)
        self._batch: Batch = []

    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield what was prepared, in order."""
        flush = Flush(impatient=self._preparer.settings.impatient)
        while chunk := chunks.take():
            for task in chunk:
                for prepared in self._preparer.prepare(task):
                    self._batch.append(prepared)
                    if flush.is_due(prepared):
                        yield self._handed_over(chunks)
                        flush.restart()
        yield self._handed_over(chunks)

    def _handed_over(self, chunks: Chunks) -> Batch:
        batch, self._batch = self._batch, []
        chunks.learn(batch)
        return batch

    def stop(self) -> Iterator[Batch]:
        """Yield what was finished."""
        if self._batch:
            batch, self._batch = self._batch, []
            yield batch


class Flush:
    """Says when a batch has waited long enough.

    Parameters
    ----------
    impatient
        Whether failures do not wait at all.
    clock
        Tells the time.
    """

    def __init__(self, *, impatient: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._impatient = impatient
        self._clock = clock
        self.restart()

    def is_due(self, last: Prepared) -> bool:
        """Whether it has, with this one as its last."""
        return self._clock() >= self._due or (self._impatient and bool(last.failures))

    def restart(self) -> None:
        """Start again."""
        self._due = self._clock() + FLUSH_SECONDS
