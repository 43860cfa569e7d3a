"""Work that several threads share, with its progress: the channels of a waveform, and parts of any kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.threads import share_out

Channel = TypeVar("Channel")
Result = TypeVar("Result")


def sum_of_threads(on_progress: OnProgress | None, total: float) -> Callable[[float], None]:
    """Return the function that several threads call with the amount of work that each has done.

    Only the thread that this function is called in reports, because a function that takes progress may stop the work by
    an exception, or write to a terminal.

    Parameters
    ----------
    on_progress
        Function that takes the progress of the whole; None if nobody asks.
    total
        Amount of all work.

    Returns
    -------
    function
        Function to call with an amount that was done; with 0 at the end, so that nothing goes unreported.

    Examples
    --------
    >>> add = sum_of_threads(print, 3)
    >>> add(1)
    1 3
    >>> add(2)
    3 3
    """
    caller, lock = threading.get_ident(), threading.Lock()
    done: float = 0

    def add(amount: float) -> None:
        nonlocal done
        with lock:
            done += amount
        if on_progress and threading.get_ident() == caller:
            on_progress(done, total)

    return add


def each_channel(
    work: Callable[[Channel, OnProgress | None], Result],
    channels: Sequence[Channel],
    *,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> list[Result]:
    """Return the result of each channel, which several threads share.

    Parameters
    ----------
    work
        Function of one channel, and of the function that takes its progress, or None.
    channels
        All channels, or their numbers.
    threads
        Number of threads; with one, the progress within each channel is reported, else only that of whole ones.
    on_progress
        Function called with the progress of all.

    Returns
    -------
    list
        What the function returned for each channel.

    Examples
    --------
    >>> each_channel(lambda channel, report: sum(channel), [[1.0], [2.0]], threads=2)
    [1.0, 2.0]
    """
    count = len(channels)
    if min(threads, count) <= 1:
        return [work(channel, share_of(on_progress, number, count)) for number, channel in enumerate(channels)]
    add = sum_of_threads(on_progress, count)
    results: dict[int, Result] = {}

    def some(first: int, last: int) -> None:
        for number in range(first, last):
            results[number] = work(channels[number], None)
            add(1)

    share_out(some, count, threads)
    add(0)
    return [results[number] for number in range(count)]
