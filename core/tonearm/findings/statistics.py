"""Statistics of an array, computed in one pass over blocks; pages of a mapped file are released once they are read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from tonearm.errors import ItemError
from tonearm.findings.blocks import blocks
from tonearm.findings.layout import Layout, layout_along
from tonearm.findings.mapped_files import copy_mapped, release_pages

if TYPE_CHECKING:
    from tonearm.typing import Array

LONG_SIDE = 256
"""Largest length along the two longest axes of the part in which neighbours are compared."""

SHORT_SIDE = 4
"""Largest length along every other axis of that part."""

LOG_FLOOR = 1e-4
"""Floor of logarithms, as a fraction of the largest value. Values without a negative one are compared as logarithms,
because spectra span decades."""

REAL_TOLERANCE = 1e-6
"""Largest imaginary part that counts as none, as a fraction of the largest magnitude."""

MAX_END_SIZE = 1 << 20
"""Largest number of values at the end of an axis that are examined."""

MAX_TRAILING = 64
"""Largest number of positions at the end of an axis that are searched for zeros."""


class ArrayStatistics(Struct, frozen=True, kw_only=True):
    """Statistics of an array; those of a complex array are over real and imaginary parts.

    Parameters
    ----------
    shape, dtype
        Shape and type of the array.
    low, high
        Lowest and highest finite value; 0 if there is none.
    mean
        Mean of the finite values.
    not_finite, negative
        Number of values that are NaN or infinite, and of values below 0.
    low_count
        Number of values that equal the lowest one.
    whole
        Whether all finite values are whole numbers.
    correlation
        Correlation of neighbours along each axis, in the middle of the array; 0 along an axis of length 1.
    roughness
        Mean step to the next value along each axis, divided by the sum over all axes, in the middle of the array.
    real_ends
        Whether the first and the last position along each axis hold real values only, as the lowest and the highest bin
        of real samples do; empty if the array or all its values are real.
    layout
        Layout of bins along each axis, as values show it.
    trailing_zeros
        Number of last positions that hold only 0, along each of the last two axes.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    not_finite: int
    negative: int
    low_count: int
    whole: bool
    correlation: tuple[float, ...]
    roughness: tuple[float, ...]
    real_ends: tuple[tuple[bool, bool], ...]
    trailing_zeros: tuple[int, ...]
    layout: tuple[Layout, ...] = ()

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def peak(self) -> float:
        """Largest absolute value."""
        return max(0.0 - self.low, self.high)  # not -0.0 for an array of zeros

    @property
    def finite(self) -> int:
        """Number of finite values."""
        return self.size * (2 if self.dtype.startswith("complex") else 1) - self.not_finite

    @property
    def constant(self) -> bool:
        """Whether all finite values are the same."""
        return self.low == self.high

    @property
    def centred(self) -> bool:
        """Whether values are centred on 0, as samples are."""
        return bool(self.constant or self.negative) and abs(self.mean) <= 0.2 * self.peak


def compute_statistics(array: Array) -> ArrayStatistics:
    """Return the statistics of an array.

    Raises
    ------
    ItemError
        If the array is empty, or does not hold numbers.
    """
    import numpy as np

    with np.errstate(all="ignore"):  # values such as 1e300 may overflow
        return _compute(array)


def _compute(array: Array) -> ArrayStatistics:
    import numpy as np

    if array.dtype.kind not in "iufc" or not array.size:
        what = "is empty" if array.dtype.kind in "iufc" else f"holds {array.dtype} values, not numbers"
        raise ItemError(f"the array {what}: its shape is {array.shape}", code="not-numbers" if array.size else "empty")
    low, high, total = math.inf, -math.inf, 0.0
    bad = negative = low_count = 0
    whole = True
    for block in blocks(array):
        for part in (block.real, block.imag) if block.dtype.kind == "c" else (block,):
            finite = part if part.dtype.kind in "iu" else part[np.isfinite(part)]
            bad += part.size - finite.size
            if not finite.size:
                continue
            least = float(finite.min())
            same = int(np.count_nonzero(finite == finite.min()))
            low_count = same if least < low else low_count + same if least == low else low_count
            low, high = min(low, least), max(high, float(finite.max()))
            total += float(finite.sum(dtype=np.float64))
            negative += int(np.count_nonzero(finite < 0))
            whole = whole and (finite.dtype.kind in "iu" or bool((finite == np.rint(finite)).all()))
        release_pages(array)
    count = array.size * (2 if array.dtype.kind == "c" else 1) - bad
    inner = _middle(array)
    return ArrayStatistics(
        shape=array.shape,
        dtype=array.dtype.name,
        low=low if count else 0.0,
        high=high if count else 0.0,
        mean=total / max(count, 1),
        not_finite=bad,
        negative=negative,
        low_count=low_count,
        whole=whole and count > 0,
        correlation=tuple(_correlation(inner, axis) for axis in range(array.ndim)),
        roughness=_roughness(inner),
        real_ends=_real_ends(array) if array.dtype.kind == "c" else (),
        trailing_zeros=_trailing_zeros(array),
        layout=tuple(layout_along(array, axis) for axis in range(array.ndim)) if array.ndim > 1 else (),
    )


def _middle(array: Array) -> Array:
    """Return the middle of an array as finite float64: magnitudes of complex values, logarithms of spectra.

    Values are taken for a spectrum if none is below 0.
    """
    import numpy as np

    longest = sorted(range(array.ndim), key=lambda axis: -array.shape[axis])[:2]
    sides = [LONG_SIDE if axis in longest else SHORT_SIDE for axis in range(array.ndim)]
    starts = [max(0, (n - side) // 2) for n, side in zip(array.shape, sides, strict=True)]
    inner = copy_mapped(array[tuple(slice(start, start + side) for start, side in zip(starts, sides, strict=True))])
    values: Array = np.abs(inner) if array.dtype.kind == "c" else inner
    values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    if array.dtype.kind in "fc" and 0 <= values.min() < values.max():
        values = np.log(np.maximum(values, LOG_FLOOR * values.max()))
    return values


def _correlation(inner: Array, axis: int) -> float:
    import numpy as np

    rows = np.moveaxis(inner, axis, 0)
    if len(rows) < 2:
        return 0.0
    one, next_one = (part - part.mean() for part in (rows[:-1], rows[1:]))
    spread = float(np.sqrt((one * one).mean() * (next_one * next_one).mean()))
    return round(float((one * next_one).mean()) / spread, 4) if spread > 0 else 0.0


def _roughness(inner: Array) -> tuple[float, ...]:
    import numpy as np

    steps = [float(np.abs(np.diff(inner, axis=axis)).mean()) if n > 1 else 0.0 for axis, n in enumerate(inner.shape)]
    total = sum(steps) or 1.0
    return tuple(round(step / total, 4) for step in steps)


def _real_ends(array: Array) -> tuple[tuple[bool, bool], ...]:
    """Return whether the first and the last position along each axis hold real values only; see `ArrayStatistics`."""
    import numpy as np

    middle = tuple(slice(max(0, (n - LONG_SIDE) // 2), max(0, (n - LONG_SIDE) // 2) + LONG_SIDE) for n in array.shape)
    inner = copy_mapped(array[middle] if array.ndim <= 2 else array[(0,) * (array.ndim - 2)][middle[-2:]])
    if not np.abs(inner.imag).max() > 0:
        return ()
    limit = REAL_TOLERANCE * float(np.abs(inner).max())
    found = []
    for axis in range(array.ndim):
        rows = np.moveaxis(array, axis, 0)
        ends = [rows[0], rows[-1]] if len(rows) > 2 else []
        if not ends or ends[0].size > MAX_END_SIZE:
            found.append((False, False))
        else:
            first, last = (bool(np.abs(np.nan_to_num(copy_mapped(end).imag)).max() <= limit) for end in ends)
            found.append((first, last))
    return tuple(found)


def _trailing_zeros(array: Array) -> tuple[int, ...]:
    """Return the number of last positions that hold only 0, along each of the last two axes."""
    import numpy as np

    found = []
    for axis in range(max(array.ndim - 2, 0), array.ndim):
        ends = np.moveaxis(array, axis, 0)[::-1][:MAX_TRAILING]
        if ends[:1].size > MAX_END_SIZE:
            found.append(0)
            continue
        sounding = next((index for index, end in enumerate(ends) if copy_mapped(end).any()), len(ends))
        found.append(sounding)
    return tuple(found)
