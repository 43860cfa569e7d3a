"""A chunk in flight: what of it is left to do, and when it is overdue."""

from __future__ import annotations

import time

import msgspec

from tonearm.run.tasks import ItemId, Task

CANCEL_TIMEOUT = 10.0
"""Time in seconds that an executor has to stop a chunk, before the run no longer waits for it."""


class ChunkInFlight:
    """A chunk in flight.

    Attributes
    ----------
    tasks
        Tasks that are not finished, by number.
    is_retry
        Whether the chunk is one task that has failed with its worker before.
    last_heard
        Time of the last sign of life.
    cancelled
        Time when it took too long and was cancelled; None if it was not.
    received
        Items of large sources that have been received, each with its output, by the number of the task.
    is_begun
        Whether some of the tasks are finished.
    """

    def __init__(self, tasks: list[Task], *, is_retry: bool) -> None:
        self.tasks = {task.number: task for task in tasks}
        self.is_begun = False
        self.is_retry = is_retry
        self.last_heard = time.monotonic()
        self.cancelled: float | None = None
        self.received: dict[int, set[tuple[ItemId, int]]] = {}

    def remaining(self) -> list[Task]:
        """Return what is left to do of the tasks, some items of which may have been received."""
        return [
            msgspec.structs.replace(task, skip=task.skip | self.received[number]) if number in self.received else task
            for number, task in self.tasks.items()
        ]

    def due(self, timeout: float) -> float:
        """Return the time when the chunk is overdue, or when its end is overdue after it was cancelled.

        Parameters
        ----------
        timeout
            Time in seconds that a chunk may take without a sign of life.
        """
        return self.last_heard + timeout if self.cancelled is None else self.cancelled + CANCEL_TIMEOUT
