"""Where the progress of a call goes: to a bar, to a function of the user's, or nowhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from tonearm.errors import UsageError, one_line
from tonearm.plugins.progress import Progress
from tonearm.reporting.bar import Bar, can_show

if TYPE_CHECKING:
    from tonearm.reporting.worker_rates import WorkerRates


class Reports(Protocol):
    """What gets the reports of a conversion or a run."""

    def __call__(self, progress: Progress) -> None:
        """Take a report."""

    def watch(self, workers: WorkerRates) -> None:
        """Take the workers of a run, whose rates change while it works."""

    def count(self, done: int, total: int) -> None:
        """Take how many sources of a run are done."""

    def note(self, line: str) -> None:
        """Take a note of the executor of a run."""

    def clear(self) -> None:
        """Make room for a message."""


@contextlib.contextmanager
def reporting(progress: bool | Callable[[Progress], object]) -> Iterator[Reports | None]:
    """Yield what takes the reports of progress within the block; None if nobody wants them.

    An exception that the user's function raises ends the conversion as it is. At the end of a block without errors, the
    work of the last stage that reported is done, and the function gets that as its last report.

    Parameters
    ----------
    progress
        Whether to draw a bar on stderr, where that is a terminal or a notebook; or a function that gets each report.

    Raises
    ------
    UsageError
        If ``progress`` is neither.
    """
    if callable(progress):
        calls = _Calls(progress)
        yield calls
        calls.end()
    elif progress is True and can_show():
        bar = Bar()
        try:
            yield bar
        finally:
            bar.clear()
    elif progress in (True, False):
        yield None
    else:
        message = f"progress is True, False or a function, not {one_line(repr(progress), 60)}"
        raise UsageError(message, hint="progress=True, or progress=print")


class _Calls:
    """Calls of the user's function."""

    def __init__(self, function: Callable[[Progress], object]) -> None:
        self._function = function
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        self._last = progress
        self._function(progress)

    def watch(self, workers: WorkerRates) -> None:
        """Do nothing: reports are about sources."""

    def count(self, done: int, total: int) -> None:
        """Do nothing: reports name their source."""

    def note(self, line: str) -> None:
        """Do nothing: notes are logged."""

    def clear(self) -> None:
        """Do nothing: nothing is drawn."""

    def end(self) -> None:
        """Report the end of the last work, whose end no plugin may have reported, or too soon after another report."""
        last = self._last
        if last is not None and last.total is not None and last.done < last.total:
            self._function(replace(last, done=last.total))
