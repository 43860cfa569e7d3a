"""How long a batch waits."""

from __future__ import annotations

import time
from collections.abc import Callable

from tonearm.run.prepared import PreparedSource

FLUSH_SECONDS = 0.05
"""How long finished sources wait for others to be published together."""


class FlushTimer:
    """Says when a batch has waited long enough.

    Parameters
    ----------
    flush_failures
        Whether failures do not wait at all.
    clock
        Tells the time.
    """

    def __init__(self, *, flush_failures: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._impatient = flush_failures
        self._clock = clock
        self.restart()

    def is_due(self, last: PreparedSource) -> bool:
        """Whether it has, with this one as its last."""
        return self._clock() >= self._due or (self._impatient and bool(last.failures))

    def restart(self) -> None:
        """Start again."""
        self._due = self._clock() + FLUSH_SECONDS
