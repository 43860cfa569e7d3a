"""Threads that last as long as one call: none is left that a fork of the process would miss.

On a busy machine a new thread may wait for some milliseconds until a core takes it up. So nobody waits for one to
begin: this thread works on until there is nothing left to do, and others join in when they come.
"""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import functools
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Event, Lock
from typing import TypeVar

from tonearm_plugins.dsp.blocks import block_slices

T = TypeVar("T")

LEAST_WORK = 1 << 21
"""Samples of frames that are worth a thread: a millisecond of work, where its start takes a tenth of that."""

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
        left = iter([*itertools.pairwise(ends)])  # to take the next one is one step, which no other thread can divide

        def take(_number: int, _over: Event) -> None:
            try:
                for first, last in left:
                    work(first, last)
            except BaseException:
                deque(left, 0)  # none is begun any more
                raise

        in_threads(take, taken)


def useful_threads(threads: int, work: int) -> int:
    """Return a number of threads of which each has enough to do.

    Parameters
    ----------
    threads
        Largest number of threads.
    work
        Work in samples of frames that are transformed.

    Examples
    --------
    >>> useful_threads(8, work=5000 * 1024)  # 60 s of speech
    2
    """
    return max(1, min(threads, work // LEAST_WORK))


def share_slices(
    begin: Callable[[int, int], T],
    finish: Callable[[int, int, T], None],
    count: int,
    threads: int,
    *,
    size: int,
    least: int = 1,
) -> None:
    """Work on a row of things in several threads, of which this is one, slice by slice, as `share_in_order` does.

    Parameters
    ----------
    begin, finish
        As in `share_in_order`, but with the first thing of a slice, and the one after its last.
    count
        Number of things.
    threads
        Largest number of threads.
    size
        Largest number of things in a slice. With several threads, each gets a few slices.
    least
        Things in a slice at least, if there are several threads.

    Examples
    --------
    >>> share_slices(lambda first, last: last - first, print, 10, threads=1, size=4)
    0 4 4
    4 8 4
    8 10 2
    """
    if threads > 1:
        size = min(size, max(least, -(-count // (PIECES * threads))))
    slices = [(part.start, part.stop) for part in block_slices(count, size)]
    share_in_order(
        lambda number: begin(*slices[number]),
        lambda number, begun: finish(*slices[number], begun),
        len(slices),
        threads,
    )


def share_in_order(begin: Callable[[int], T], finish: Callable[[int, T], None], count: int, threads: int) -> None:
    """Work on things in several threads, of which this is one, and finish them one after the other, in their order.

    Parameters
    ----------
    begin
        Function that takes the number of a thing and does most of the work, at the same time as other calls.
    finish
        Function that takes the number, and what ``begin`` returned; calls follow one another.
    count
        Number of things.
    threads
        Largest number of threads.

    Examples
    --------
    >>> share_in_order(lambda number: number * number, print, 3, threads=2)
    0 0
    1 1
    2 4
    """
    with free_threads(min(threads, count), threads) as taken:
        left, finished, turn = iter(range(count)), 0, Condition()

        def is_turn_of(number: int) -> bool:
            return finished >= number

        def take(_number: int, _over: Event) -> None:
            nonlocal finished
            try:
                for number in left:
                    begun = begin(number)
                    with turn:
                        turn.wait_for(functools.partial(is_turn_of, number))
                    if finished > number:  # another thread has failed
                        return
                    finish(number, begun)
                    with turn:
                        finished = max(finished, number + 1)
                        turn.notify_all()
                with turn:
                    turn.wait_for(functools.partial(is_turn_of, count))
            except BaseException:
                deque(left, 0)  # none is begun any more
                with turn:
                    finished = count + 1
                    turn.notify_all()
                raise

        in_threads(take, taken)


def share_each(work: Callable[[int, Event], T], count: int, threads: int) -> list[T]:
    """Work on long things in several threads, of which this is one, and return the results in their order.

    Parameters
    ----------
    work
        Function that takes the number of a thing, and an event, which is set once another call has failed: then it
        should fail as well, so that nobody waits for a result that is of no use.
    count
        Number of things.
    threads
        Largest number of threads.

    Examples
    --------
    >>> share_each(lambda number, over: number * number, 3, threads=2)
    [0, 1, 4]
    """
    found: dict[int, T] = {}
    left, done = iter(range(count)), Event()

    def take(thread: int, over: Event) -> None:
        try:
            for number in left:
                found[number] = work(number, over)
        except BaseException:
            deque(left, 0)  # none is begun any more
            done.set()
            raise
        if len(found) == count:
            done.set()
        if not thread:
            done.wait()

    in_threads(take, min(threads, count))
    return [found[number] for number in range(count)]


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

    def help_out(number: int, ended: _thread.LockType, context: contextvars.Context) -> None:
        try:
            context.run(work, number, over)  # so that NumPy treats errors as it does in this thread
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
                _thread.start_new_thread(help_out, (number, ended, contextvars.copy_context()))
            except RuntimeError:
                break
            running.append(ended)
        work(0, over)
    except Exception as error:
        errors.append(error)  # not raised yet: it may follow from that of another thread, which came first
    finally:
        over.set()
        for ended in running:
            ended.acquire()
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # else the error would hold itself, and what its calls hold


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
