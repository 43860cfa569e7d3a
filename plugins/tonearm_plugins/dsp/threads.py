"""Threads that last as long as one call: none is left that a fork of the process would miss."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shares(count: int, threads: int, *, least: int = 1) -> list[tuple[int, int]]:
    """Return the first thing of each thread and the one after its last: as even as can be.

    Parameters
    ----------
    count
        Number of things.
    threads
        Largest number of threads.
    least
        Things that a thread must have at least, if there are several threads.

    Examples
    --------
    >>> shares(10, 3)
    [(0, 3), (3, 6), (6, 10)]
    >>> shares(10, 3, least=5)
    [(0, 5), (5, 10)]
    """
    number = max(1, min(threads, count // max(1, least)))
    return list(itertools.pairwise(count * i // number for i in range(number + 1)))


def in_threads(work: Callable[[Sequence[T], threading.Event], None], parts: Sequence[T]) -> None:
    """Work on all parts at the same time, on the first one in this thread.

    If anything fails, the first error is raised once all threads have ended.

    Parameters
    ----------
    work
        Function that works on some parts: on one, or on all for which the system allows no more threads. It also takes
        an event, which is set if another thread has failed: nobody wants the work any more.
    parts
        The parts.

    Examples
    --------
    >>> found = [0, 0, 0]
    >>> def square(numbers, failed):
    ...     for number in numbers:
    ...         found[number] = number * number
    >>> in_threads(square, range(3))
    >>> found
    [0, 1, 4]
    """
    failed = threading.Event()
    errors: list[BaseException] = []

    def attempt(part: T) -> None:
        try:
            work([part], failed)
        except BaseException as error:
            errors.append(error)
            failed.set()

    threads: list[threading.Thread] = []
    try:
        own = list(parts[:1])
        for part in parts[1:]:
            threads.append(threading.Thread(target=attempt, args=(part,), daemon=True))
            try:
                threads[-1].start()
            except RuntimeError:
                threads.pop()
                own.append(part)
        work(own, failed)
    except BaseException:
        failed.set()
        raise
    finally:
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
