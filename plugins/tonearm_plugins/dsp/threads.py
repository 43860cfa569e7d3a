"""Threads that last as long as one call: none is left that a fork of the process would miss.

On a busy machine a new thread may wait for some milliseconds until a core takes it up. So nobody waits for one to
begin: this thread works on until there is nothing left to do, and others join in when they come.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from threading import Event, Lock

PIECES = 4
"""Pieces of work for each thread, where it can be cut anywhere."""


def share_out(
    work: Callable[[int, int], None], count: int, threads: int, *, least: int = 1, limit: int | None = None
) -> None:
    """Work on a row of things in several threads, of which this is one.

    The row is cut into a few pieces for each thread, and a thread takes the next piece when it is ready: one that comes
    late or has a slow core gets fewer. If anything fails, no more pieces are begun, and the first error is raised once
    all threads have ended.

    Parameters
    ----------
    work
        Function that works on a piece: it takes the first thing, and the one after the last.
    count
        Number of things.
    threads
        Largest number of threads.
    least
        Things in a piece at least, if there are several pieces.
    limit
        Largest number of threads that are at work in all calls together; ``threads`` if None.

    Examples
    --------
    >>> share_out(lambda first, last: print(first, last), 1000, threads=1)
    0 1000
    >>> found = []
    >>> share_out(lambda first, last: found.append(last - first), 1000, threads=2, least=300)
    >>> found
    [333, 333, 334]
    """
    with free_threads(min(threads, max(1, count // least)), limit or threads) as taken:
        number = max(1, min(PIECES * taken, count // least)) if taken > 1 else 1
        ends = [count * i // number for i in range(number + 1)]
        left = iter(list(itertools.pairwise(ends)))  # to take the next one is one step, which no thread can divide

        def take(_: int, over: Event) -> None:
            for first, last in left:
                if over.is_set():
                    return
                work(first, last)

        in_threads(take, taken)


def in_threads(work: Callable[[int, Event], None], threads: int) -> None:
    """Call a function in several threads at once, of which this is one, and wait until all have ended.

    Parameters
    ----------
    work
        Function that takes the number of its thread, 0 for this one, and an event, which is set once call 0 has
        returned, or any has failed: then there is nothing left to do. So call 0 must see to it that all is done. The
        others may begin late, or not at all if the system allows no more threads.
    threads
        Number of threads.

    Examples
    --------
    >>> in_threads(lambda number, over: print(number), 1)
    0
    """
    over = Event()
    errors: list[BaseException] = []
    running: list[_thread.LockType] = []

    def help_out(number: int, ended: _thread.LockType) -> None:
        try:
            work(number, over)
        except BaseException as error:
            errors.append(error)
            over.set()
        finally:
            ended.release()

    try:
        for number in range(1, threads):
            ended = _thread.allocate_lock()
            ended.acquire()
            try:  # not threading.Thread, which waits until the thread has begun
                _thread.start_new_thread(help_out, (number, ended))
            except RuntimeError:
                break
            running.append(ended)
        work(0, over)
    finally:
        over.set()
        for ended in running:
            ended.acquire()
    if errors:
        raise errors[0]


class _AtWork:
    """The number of threads that are at work in this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Count none, as in the child of a fork, which has none of them."""
        self.lock, self.count = Lock(), 0


_at_work = _AtWork()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_at_work.forget)


@contextlib.contextmanager
def free_threads(threads: int, limit: int) -> Iterator[int]:
    """Take threads for the work in a ``with`` block: fewer where other calls have some, so cores are not overcrowded.

    A program that converts in eight threads of its own would have 64 of them on eight cores otherwise.

    Parameters
    ----------
    threads
        Number of threads that are wanted.
    limit
        Largest number of threads that are at work in all calls together.

    Yields
    ------
    int
        Number of threads, this one included.

    Examples
    --------
    >>> with free_threads(3, 4) as first, free_threads(3, 4) as second:
    ...     print(first, second)
    3 1
    """
    with _at_work.lock:
        taken = max(1, min(threads, limit - _at_work.count))
        _at_work.count += taken
    try:
        yield taken
    finally:
        with _at_work.lock:
            _at_work.count -= taken
