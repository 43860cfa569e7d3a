"""Calls that wait for a file server: where one takes long, several threads make many at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tonearm.errors import OutputError

if TYPE_CHECKING:
    from concurrent.futures import Future

Given = TypeVar("Given")
Returned = TypeVar("Returned")

SLOW_SECONDS = 2.5e-4
"""Time of a call in seconds from which on threads are worth it. A local disk takes a tenth of it, a server more."""

THREADS = 16
"""Number of threads: a driver that publishes 5,000 files a second has a server's answer after 3 ms in time."""

CALLS_A_THREAD = 4
"""Least number of calls that a thread is started for."""


class SlowCalls:
    """Calls of one kind, such as renaming a file.

    Attributes
    ----------
    seconds
        Time that a call takes, as a moving average in seconds.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def are_slow(self) -> bool:
        """Whether the calls are slow enough for threads."""
        return self.seconds >= SLOW_SECONDS

    def timed(self, call: Callable[[Given], Returned], given: Given) -> Returned:
        """Make a call and return what it returns."""
        began = time.perf_counter()
        try:
            return call(given)
        finally:
            self.seconds += 0.1 * (time.perf_counter() - began - self.seconds)

    def ahead(self, call: Callable[[Given], object], things: Sequence[Given]) -> None:
        """Call a function with each of several things in threads, if its calls are slow, and wait for all of them.

        Output errors are ignored, and some calls are not made if no thread can be started: whoever needs the outcome
        makes the call again.

        Parameters
        ----------
        call
            Function, which makes calls by `timed`.
        things
            What it is called with.
        """
        count = min(THREADS, len(things) // CALLS_A_THREAD)
        if count < 2 or not self.are_slow:
            return
        from concurrent.futures import ThreadPoolExecutor

        def call_some(first: int) -> None:
            for thing in things[first::count]:
                with contextlib.suppress(OutputError):
                    call(thing)

        with ThreadPoolExecutor(count) as pool:  # its threads end here, so a process that is forked later has none
            calls: list[Future[None]] = []
            with contextlib.suppress(RuntimeError):  # no more threads: those that have started make their calls
                calls.extend(pool.submit(call_some, first) for first in range(count))
            for made in calls:
                made.result()
