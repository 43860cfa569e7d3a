"""Chunks of a size that suits an executor."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.run.prepared import PreparedSource
from tonearm.run.tasks import Task

CHUNK_SECONDS = 0.25
"""Work in a chunk: long beside the cost of handing it over, short beside a person's patience."""

MAX_CHUNK_SIZE = 512
MAX_CHUNK_GROWTH = 4


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
            self._size = max(1, min(int(CHUNK_SECONDS / self._cost), MAX_CHUNK_GROWTH * self._size, MAX_CHUNK_SIZE))
        # Towards the end chunks shrink, so that all workers end together.
        size = max(1, min(self._size, self._left // (2 * self._workers)))
        chunk = []
        for task in self._tasks:
            chunk.append(task)
            if len(chunk) == size:
                break
        self._left -= len(chunk)
        return chunk

    def learn(self, batch: list[PreparedSource]) -> None:
        """Take note of what sources cost."""
        for prepared in batch:
            cost = max(prepared.seconds, 1e-5)
            # The first source of a worker pays for its imports, which is soon forgotten.
            self._cost = cost if not self._cost else 0.75 * self._cost + 0.25 * cost
