"""What is noted while an array is looked at: findings, and the options that would read it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tonearm.inspect.statistics import ArrayStatistics
from tonearm.recipes.mel import Catalogue

Confidence = Literal["certain", "likely", "possible", "unknown"]

UNKNOWN = "?"
MAX_CHANNELS = 8


class Finding(Struct, frozen=True):
    """One thing that was found.

    Parameters
    ----------
    what
        ``kind``, ``axes``, ``scale``, ``dialect``, ``sample_rate``, ``n_fft``, ``hop_length``, ``values``.
    value
        What it seems to be; ``?`` if that cannot be known.
    confidence
        ``certain`` only if it could not be otherwise.
    reason
        Why, in a few words.
    """

    what: str
    value: str
    confidence: Confidence
    reason: str


class Notes:
    """Findings and options, as they come.

    Parameters
    ----------
    stats
        What was counted in the array.
    catalogue
        The dialects that there are.
    sample_rate
        In Hz, where something beside the array says it.
    """

    def __init__(self, stats: ArrayStatistics, catalogue: Catalogue, sample_rate: int | None = None) -> None:
        self.statistics = stats
        self.catalogue = catalogue
        self.sample_rate = sample_rate
        self.findings: list[Finding] = []
        self.options: dict[str, Any] = {}
        self.dialects: list[str] = []
        # Spare axes of size 1 say nothing; where all have it, one stays.
        self._kept = [axis for axis, n in enumerate(stats.shape) if n > 1] or [0]
        self.shape = [stats.shape[axis] for axis in self._kept]

    def add(self, what: str, value: str, confidence: Confidence, reason: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(what, value, confidence, reason))

    def correlation(self, axis: int) -> float:
        """Return how alike neighbours along an axis are, from -1 to 1."""
        return self.statistics.correlation[self._kept[axis]]

    def roughness(self, axis: int) -> float:
        """Return how rough values are along an axis; spectra are smoother along frequencies than along frames."""
        return self.statistics.roughness[self._kept[axis]]

    def real_ends(self, axis: int) -> tuple[bool, bool]:
        """Return whether the first and the last place along an axis are real."""
        return self.statistics.real_ends[self._kept[axis]] if self.statistics.real_ends else (False, False)

    def smoothest(self, axes: list[int]) -> int:
        """Return the smoothest of some axes; of two alike, the last."""
        return min(axes, key=lambda axis: (self.roughness(axis), -axis))

    def axis_names(self, main: int, name: str, extra: dict[int, str] | None = None) -> list[str]:
        """Return names of all axes: one is known, frames are beside it, the rest is batch or channel."""
        known = {main: name} | (extra or {})
        free = [axis for axis in range(len(self.shape)) if axis not in known]
        # Frames are the neighbour that is no handful: models write (…, bins, frames) or (…, frames, bins).
        frame = max(free, key=lambda axis: (abs(axis - main) == 1, self.shape[axis] > MAX_CHANNELS, axis), default=None)
        others = [axis for axis in free if axis != frame]
        known |= dict(zip(others, ["batch", "channel"] if len(others) == 2 else [UNKNOWN] * len(others), strict=True))
        known |= {frame: "frame"} if frame is not None else {}
        names = [known[axis] for axis in range(len(self.shape))]
        # A size of 1 may be what looked spare: a single frame.
        return names if frame is not None or len(self.statistics.shape) == 1 else [*names, "frame"]
