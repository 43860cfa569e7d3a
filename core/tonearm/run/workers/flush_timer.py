"""A timer that tells when finished sources are handed over to be published."""

from __future__ import annotations

import time
from collections.abc import Callable

from tonearm.run.prepared import PreparedSource

FLUSH_SECONDS = 0.05
"""Seconds that finished sources wait for others to be published with."""


class FlushTimer:
    """Tells when a batch has waited long enough.

    Parameters
    ----------
    flush_failures
        Whether a failure is handed over at once.
    clock
        Function that returns the time in seconds.
    """

    def __init__(self, *, flush_failures: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._flush_failures = flush_failures
        self._clock = clock
        self.restart()

    def is_due(self, last: PreparedSource) -> bool:
        """Return whether a batch is due, given the last source in it."""
        return self._clock() >= self._due or (self._flush_failures and bool(last.failures))

    def restart(self) -> None:
        """Restart the timer for the next batch."""
        self._due = self._clock() + FLUSH_SECONDS
