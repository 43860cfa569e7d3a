"""A chunk in flight: which of its tasks are finished, and which items of the others have come."""

from __future__ import annotations

import time

import msgspec

from tonearm.run.prepared import PreparedSource
from tonearm.run.tasks import ItemId, Task


class ChunkInFlight:
    """A chunk that an executor has been given, and whose last results have not come.

    Parameters
    ----------
    tasks
        Tasks.
    is_retry
        Whether the chunk is one task that has failed with its worker before.

    Attributes
    ----------
    tasks
        Tasks that are not finished, by number.
    is_begun
        Whether some tasks are finished.
    is_retry
        Whether the chunk is one task that has failed with its worker before.
    last_heard
        Time of the last sign of life.
    cancelled
        Time when it took too long and was cancelled; None if it was not.
    """

    def __init__(self, tasks: list[Task], *, is_retry: bool) -> None:
        self.tasks = {task.number: task for task in tasks}
        self.is_begun = False
        self.is_retry = is_retry
        self.last_heard = time.monotonic()
        self.cancelled: float | None = None
        self._received: dict[int, set[tuple[ItemId, int]]] = {}
        """Items of large sources that have been received, each with its output, by the number of the task."""

    def accept(self, prepared: PreparedSource) -> bool:
        """Note what has come of a source, and return whether it was expected."""
        number = prepared.task.number
        received = self._received.get(number)
        items = set()
        if received or not prepared.last:
            items = {((item.key, item.index), item.output) for item in prepared.items}
        if number not in self.tasks or (received and received & items):
            return False
        if prepared.last:
            del self.tasks[number]
            self.is_begun = True
        else:
            self._received[number] = items | (received or set())
        return True

    def remaining(self) -> list[Task]:
        """Return what is left to do of the tasks, some items of which may have been received."""
        return [
            msgspec.structs.replace(task, skip=task.skip | self._received[number]) if number in self._received else task
            for number, task in self.tasks.items()
        ]
