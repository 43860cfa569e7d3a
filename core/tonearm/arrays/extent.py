"""The extent of an array: its smallest and largest value, found block by block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from tonearm.findings.blocks import blocks
from tonearm.plugins.kind import ArrayTraits

if TYPE_CHECKING:
    from tonearm.typing import Array


class Extent(Struct, frozen=True):
    """The smallest and largest value of an array, over real and imaginary parts; NaN if any value is NaN."""

    low: float
    high: float

    @property
    def finite(self) -> bool:
        """Whether every value is finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def peak(self) -> float:
        """Largest absolute value."""
        return max(-self.low, self.high)


def extent_of(*arrays: Array) -> Extent:
    """Return the extent over all arrays, in one pass. Arrays are real or complex, and not empty."""
    import numpy as np

    least, greatest = np.minimum.reduce, np.maximum.reduce
    low, high = math.inf, -math.inf
    for array in arrays:
        for block in blocks(array):
            for part in _real_parts(block):
                at_least, at_most = float(least(part, axis=None)), float(greatest(part, axis=None))
                if at_least != at_least:  # NaN, which Python's min and max would lose
                    return Extent(math.nan, math.nan)
                low, high = min(low, at_least), max(high, at_most)
    return Extent(low, high)


def _real_parts(block: Array) -> tuple[Array, ...]:
    """Return views of all real values of a block: one view, five times as fast, if they are contiguous."""
    if block.dtype.kind != "c":
        return (block,)
    if block.flags.forc:
        flat = block.reshape(-1, order="A")
        return (flat.view(flat.real.dtype),)
    return block.real, block.imag


def finite_extent_of(array: Array) -> Extent:
    """Return the extent of all finite values; 0 to 0 if there are none."""
    import numpy as np

    low, high = np.inf, -np.inf
    for block in blocks(array):
        for part in _real_parts(block):
            finite = part[np.isfinite(part)]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return Extent(low, high) if low <= high else Extent(0.0, 0.0)


def traits_of(array: Array) -> ArrayTraits:
    """Return the traits of an array: the extent of its finite values, and its precision."""
    extent = finite_extent_of(array)
    return ArrayTraits(extent.low, extent.high, array.dtype.name in ("float64", "complex128"))


def mean_of(array: Array, peak: float) -> float:
    """Return the mean of a real array, correct to about six digits of its peak.

    Blocks of float32 are summed pairwise in float32, four times as fast as in float64, unless they could overflow.
    """
    import numpy as np

    kind = array.dtype if array.dtype.itemsize > 2 and peak < 1e30 else np.dtype(np.float64)
    return sum(float(np.add.reduce(block, axis=None, dtype=kind)) for block in blocks(array)) / array.size
