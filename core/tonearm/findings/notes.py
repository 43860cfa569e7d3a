"""Notes on an array: findings, and the options that would read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from tonearm.findings.statistics import ArrayStatistics
from tonearm.recipes.catalogue import Catalogue

Confidence = Literal["certain", "likely", "possible", "unknown"]

UNKNOWN = "?"
"""Value of a finding or an option that only the user knows."""

MAX_CHANNELS = 8
"""Largest length of an axis that is taken for channels."""

MAX_CHOICES = 8
"""Largest number of values for an option that a line names."""

MIN_BATCH_SAMPLES = 4000
"""Least number of samples of the waveforms of a batch."""

MIN_CORRELATION = 0.3
"""Least correlation of neighbouring bands or bins; neighbouring waveforms of a batch have less."""


class Finding(Struct, frozen=True):
    """One finding about an array.

    Parameters
    ----------
    what
        Subject: an option, such as ``kind``, ``axes``, ``sample_rate`` or ``n_fft``; or ``scale`` or ``values``.
    value
        Value that the subject seems to have; ``?`` if it cannot be known.
    confidence
        Confidence in the value: ``certain`` only for what was counted or declared by the file.
    reason
        Reason in a few words.
    """

    what: str
    value: str
    confidence: Confidence
    reason: str


class Notes:
    """Findings and options, collected while an array is examined.

    Parameters
    ----------
    statistics
        Statistics of the array.
    catalogue
        Function that returns the catalogue of a class of named structs.
    sample_rate
        Sample rate in Hz, if the file has it beside the array.

    Attributes
    ----------
    shape
        Lengths of the axes, without those of length 1; if all have length 1, one stays. Axes are counted among these.
    findings
        Findings so far.
    options
        Options of the decoder so far.
    choices
        Values that may be right for an option, by the option's name, the best one first.
    """

    def __init__(
        self,
        statistics: ArrayStatistics,
        catalogue: Callable[[type[Any]], Catalogue[Any]] = Catalogue,
        sample_rate: int | None = None,
    ) -> None:
        self.statistics = statistics
        self.catalogue = catalogue
        self.sample_rate = sample_rate
        self.findings: list[Finding] = []
        self.options: dict[str, Any] = {}
        self.choices: dict[str, list[str]] = {}
        self._kept = [axis for axis, n in enumerate(statistics.shape) if n > 1] or [0]
        self.shape = [statistics.shape[axis] for axis in self._kept]

    def add(self, what: str, value: str, confidence: Confidence, reason: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(what, value, confidence, reason))

    def has(self, what: str, value: str) -> bool:
        """Return whether a finding names a value for a subject."""
        return any(finding.what == what and finding.value == value for finding in self.findings)

    def place(self, axis: int) -> int:
        """Return the place of an axis among all axes of the array."""
        return self._kept[axis]

    def correlation(self, axis: int) -> float:
        """Return the correlation of neighbours along an axis, from -1 to 1."""
        return self.statistics.correlation[self._kept[axis]]

    def roughness(self, axis: int) -> float:
        """Return the roughness of values along an axis; spectra are smoother along frequencies than along frames."""
        return self.statistics.roughness[self._kept[axis]]

    def real_ends(self, axis: int) -> tuple[bool, bool]:
        """Return whether the first and the last position along an axis hold real values only."""
        return self.statistics.real_ends[self._kept[axis]] if self.statistics.real_ends else (False, False)

    def layout(self, axis: int) -> str:
        """Return the layout of the bins along an axis, as values show it; empty if they do not."""
        return self.statistics.layout[self._kept[axis]] if self.statistics.layout else ""

    def smoothest(self, axes: list[int]) -> int:
        """Return the smoothest of some axes; the last one if two are equally smooth."""
        return min(axes, key=lambda axis: (self.roughness(axis), -axis))

    def resembles_batch(self, axis: int) -> bool:
        """Return whether an axis that has as many rows as bands or bins is more likely a batch of waveforms."""
        others = [n for other, n in enumerate(self.shape) if other != axis]
        return bool(
            len(others) == 1
            and others[0] >= MIN_BATCH_SAMPLES
            and self.statistics.centred
            and self.correlation(axis) < MIN_CORRELATION
        )

    def axis_names(self, main: int, name: str, extra: dict[int, str] | None = None) -> list[str]:
        """Return the names of all axes, given the name of one: frames are beside it, the others are batch or channel.

        Parameters
        ----------
        main
            Axis whose name is known.
        name
            Name of that axis: ``bin`` or ``mel``.
        extra
            Names of further axes that are known.
        """
        known = {main: name} | (extra or {})
        free = [axis for axis in range(len(self.shape)) if axis not in known]
        # Frames are the longer neighbour: models write (…, bins, frames) or (…, frames, bins).
        frame = max(free, key=lambda axis: (abs(axis - main) == 1, self.shape[axis] > MAX_CHANNELS, axis), default=None)
        others = [axis for axis in free if axis != frame]
        known |= dict(zip(others, ["batch", "channel"] if len(others) == 2 else [UNKNOWN] * len(others), strict=True))
        known |= {frame: "frame"} if frame is not None else {}
        names = [known[axis] for axis in range(len(self.shape))]
        # One of the axes of length 1 may be a single frame.
        return names if frame is not None or len(self.statistics.shape) == 1 else [*names, "frame"]
