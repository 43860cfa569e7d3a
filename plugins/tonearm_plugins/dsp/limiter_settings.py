"""Settings of a limiter, and what follows from them for each engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tonearm_plugins.dsp.interpolation import TAPS

MIN_REDUCTION_DB = 1e-5
"""Reduction in dB below which a release has ended."""

MARGIN_DB = 0.002
"""Distance below the ceiling in dB that true peaks above it are brought to, more than the second limiter leaves."""

MAX_DECAY = 50.0
"""Decay to a sample after which nothing is left of any reduction."""

MAX_REDUCTION_DB = 1 << 13
"""Reduction in dB that no sample needs, even of float64."""


@dataclass(frozen=True)
class LimiterSettings:
    """Settings of a limiter.

    Parameters
    ----------
    ceiling
        Largest amplitude of the result.
    lookahead
        Number of samples over which the gain goes down before a peak; `size` is the one that counts.
    release
        Number of samples after which a reduction in dB has fallen to 1/e.
    true_peak
        Whether the ceiling also holds between samples.
    """

    ceiling: float
    lookahead: int
    release: float
    true_peak: bool

    @property
    def size(self) -> int:
        """Look-ahead in samples: with true peaks, as many at least as an interpolated value is made of."""
        return max(self.lookahead, TAPS) if self.true_peak else self.lookahead

    @property
    def decay(self) -> float:
        """Distance that the logarithm of a reduction falls to a sample."""
        return min(1 / max(self.release, 1e-9), MAX_DECAY)

    @property
    def margin_db(self) -> float:
        """Distance in dB that peaks above the ceiling are brought below it."""
        return MARGIN_DB if self.true_peak else 0.0

    @property
    def widths(self) -> tuple[int, int]:
        """Lengths of the two boxes that smooth the gain, one over the other, so that its slope does not jump."""
        return self.size // 2 + 1, self.size - self.size // 2

    @property
    def unit(self) -> float:
        """Unit in dB that reductions are multiples of, as fine as 64 bits allow.

        Sums of whole numbers are the same wherever they begin.
        """
        return 2.0 ** ((self.widths[0] * self.widths[1] * MAX_REDUCTION_DB).bit_length() - 62)

    def highest(self, dtype: np.dtype[Any]) -> Any:
        """Return the largest number of a type that is not above the ceiling."""
        number = dtype.type(self.ceiling)
        return np.nextafter(number, dtype.type(0)) if float(number) > self.ceiling else number
