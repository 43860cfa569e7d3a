"""Chunks of tasks: several tasks are handed over at once, because a small source takes less time than a message."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.run.prepared import PreparedSource
from tonearm.run.tasks import Task

MAX_CHUNK_SIZE = 512
"""Largest number of tasks in a chunk."""

MAX_CHUNK_GROWTH = 4
"""Largest ratio of a chunk's size to that of the one before."""

LEAST_SHARE = 1 / 8
"""Part of a chunk's work that the last chunks still have: smaller ones would cost more than idle workers do."""


class Chunks:
    """The tasks of a run, cut into chunks according to the time that tasks have taken.

    Parameters
    ----------
    tasks
        All tasks.
    total
        Number of tasks.
    workers
        Number of workers that share them.
    seconds
        Work in a chunk in seconds.

    Attributes
    ----------
    workers
        Number of workers that share them, which may change.
    seconds
        Work in a chunk in seconds, which may change.
    """

    def __init__(self, tasks: Iterator[Task], total: int, workers: int, seconds: float = 0.25) -> None:
        self._tasks = tasks
        self._left = total
        self.workers = workers
        self.seconds = seconds
        self._seconds_per_task = 0.0
        self._size = 1

    def __len__(self) -> int:
        """Return the number of tasks that are left."""
        return self._left

    def take(self) -> list[Task]:
        """Return the next chunk; an empty one if no tasks are left."""
        least = 1
        if self._seconds_per_task:
            fitting = int(self.seconds / self._seconds_per_task)
            self._size = max(1, min(fitting, MAX_CHUNK_GROWTH * self._size, MAX_CHUNK_SIZE))
            least = max(1, int(LEAST_SHARE * self._size))
        # Towards the end chunks shrink, so that all workers finish together.
        size = min(self._size, max(least, self._left // (2 * max(1, self.workers))))
        chunk = []
        for task in self._tasks:
            chunk.append(task)
            if len(chunk) == size:
                break
        self._left -= len(chunk)
        return chunk

    def learn(self, batch: list[PreparedSource]) -> None:
        """Update the time that a task takes."""
        for prepared in batch:
            seconds = max(prepared.seconds, 1e-5)
            # The first source of a worker includes its imports. A moving average soon forgets it.
            known = self._seconds_per_task
            self._seconds_per_task = 0.75 * known + 0.25 * seconds if known else seconds
