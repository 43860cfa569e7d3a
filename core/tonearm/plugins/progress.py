"""Progress within a source: what plugins report, and how the host passes it on with the stage that is at work."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from tonearm.errors import one_line

PROGRESS_INTERVAL = 0.05
"""Seconds between two reports of a plugin that are passed on."""

BEGINNING_INTERVAL = 0.05
"""Seconds between two beginnings of stages that are passed on, on average."""

STAGE_LENGTH = 40
"""Number of characters of a stage's name that are shown."""

BURST = 1.0
"""Seconds of which the beginnings may come all at once."""


class Progress(Struct, frozen=True):
    """How far the stage that is at work is with an item.

    Parameters
    ----------
    stage
        Name of the stage's plugin, as the pipeline has it.
    done
        Amount of its work that is done, in a unit of its own.
    total
        Amount of its work in all; None if it is not known.
    index, stages
        Position of the stage among all of the pipeline, from 1, and how many these are; both 0 if not known.
    source
        Name of the source.
    """

    stage: str
    done: float
    total: float | None = None
    index: int = 0
    stages: int = 0
    source: str = ""

    @property
    def share(self) -> float | None:
        """Share of the stage's work that is done, from 0 to 1; None if it is not known."""
        return None if self.total is None else self.done / self.total

    def __str__(self) -> str:
        position = f"{self.index}/{self.stages} " if self.index else ""
        return f"{position}{one_line(self.stage, STAGE_LENGTH)}{share_text(self.share)}"


def share_text(share: float | None) -> str:
    """Return a share in percent, after a space; an empty text for None."""
    return "" if share is None else f" {share:.0%}".replace("%", " %")


class NamedStage(Protocol):
    """A stage as a report names it."""

    @property
    def name(self) -> str:
        """Name of the plugin, as the pipeline has it."""


class Reporter:
    """Passes on what the stages of a source report: some 20 reports a second, and the beginnings of stages.

    Parameters
    ----------
    on_progress
        Function that is called with each report that is passed on.
    stages
        Stages of the pipeline, in the order of their work.
    source
        Name of the source.

    Attributes
    ----------
    stopped
        What the function has raised: it ends the conversion, whatever a plugin makes of it. None if nothing.
    """

    __slots__ = ("_next", "_next_beginning", "_on_progress", "_source", "_stages", "stopped")

    def __init__(
        self, on_progress: Callable[[Progress], None], stages: Sequence[NamedStage] = (), source: str = ""
    ) -> None:
        self.stopped: BaseException | None = None
        self._on_progress = on_progress
        self._stages = stages
        self._source = source
        self._next = -math.inf
        # The stages of a short conversion pass unreported.
        self._next_beginning = time.monotonic() + BEGINNING_INTERVAL

    def begin(self, stage: NamedStage) -> None:
        """Report that a stage begins, unless many have just now: until it reports how far it is, that is nothing."""
        now = time.monotonic()
        if now < self._next_beginning:
            return
        self._next_beginning = max(self._next_beginning, now - BURST) + BEGINNING_INTERVAL
        self._report(stage, 0.0, 1.0)

    def report(self, stage: NamedStage | None, done: Any, total: Any) -> None:
        """Pass on a report of a stage, unless the last one was just now."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PROGRESS_INTERVAL
        self._report(stage, *_amounts(done, total))

    def _report(self, stage: NamedStage | None, done: float, total: float | None) -> None:
        stages = self._stages
        index = next((number for number, one in enumerate(stages, 1) if one is stage), 0)
        name = "" if stage is None else stage.name
        try:
            self._on_progress(Progress(name, done, total, index, len(stages) if index else 0, self._source))
        except BaseException as error:
            self.stopped = error
            raise


def _amounts(done: Any, total: Any) -> tuple[float, float | None]:
    """Return amounts of work as numbers. What cannot be one is no amount: progress never fails an item."""
    try:
        whole = None if total is None else float(total)
        amount = float(done)
    except Exception:
        return 0.0, None
    if whole is not None and not 0 < whole < math.inf:
        whole = None
    amount = max(amount, 0.0) if math.isfinite(amount) else 0.0
    return amount if whole is None else min(amount, whole), whole
