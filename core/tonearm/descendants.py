"""The processes that a process has started, and those that these have started: they end with it."""

from __future__ import annotations

import _signal  # `signal` makes enumerations of its numbers, which takes as long as a fork
import os

SIGKILL = 9
"""Number of the signal that ends a process at once. On Windows, which has no signals, `os.kill` does the same."""


def descendants_of(process_id: int) -> list[int]:
    """Return the processes that a process and its children have started, where the system lists them."""
    found: list[int] = []
    threads = f"/proc/{process_id}/task"
    try:
        for thread in os.listdir(threads):  # noqa: PTH208 - pathlib is slow to import
            with open(f"{threads}/{thread}/children", encoding="ascii") as children:  # noqa: PTH123
                for child in map(int, children.read().split()):
                    found += [*descendants_of(child), child]
    except OSError:
        return found
    return found


def kill_descendants(process_id: int) -> None:
    """Kill all processes that a process has started, also those that have left its group."""
    for child in descendants_of(process_id):
        _send(child, SIGKILL)


def kill_with_descendants(process_id: int) -> None:
    """Kill a process with all that it has started. If possible, it is stopped first, so that it starts no more."""
    if hasattr(_signal, "SIGSTOP"):  # Windows would end the process by any number, with that as its exit status
        _send(process_id, _signal.SIGSTOP)
    kill_descendants(process_id)
    _send(process_id, SIGKILL)


def _send(process_id: int, number: int) -> None:
    """Send a signal to a process, unless it has ended."""
    try:
        os.kill(process_id, number)
    except OSError:
        return
