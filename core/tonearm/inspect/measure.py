"""What can be counted in an array, in one pass over blocks that are given back once read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tonearm.arrays.values import blocks
from tonearm.errors import ItemError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SIDE = 256
"""Rows and columns that are compared with their neighbours, at most."""

COLUMNS = 64
"""Places along the last axis whose peaks are kept for the picture."""


class Measured(Struct, frozen=True, kw_only=True):
    """What was counted.

    Parameters
    ----------
    shape, dtype
        Of the array as it is.
    low, high
        Least and greatest finite value, over real and imaginary parts; 0 if there is none.
    mean
        Of the finite values.
    not_finite, negative
        How many values are NaN or infinite, and how many below 0.
    at_low
        How many values are exactly the least one.
    whole
        Whether all finite values are whole numbers.
    roughness
        Mean step to the next value along each axis, over that of all axes; in the middle of the array.
    zero_end
        How many last places along the last axis, and along the one before it, hold nothing but 0.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    not_finite: int
    negative: int
    at_low: int
    whole: bool
    roughness: tuple[float, ...]
    zero_end: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def peak(self) -> float:
        """The greatest absolute value."""
        return max(-self.low, self.high)


def measure(array: Array) -> Measured:
    """Count what can be counted.

    Raises
    ------
    ItemError
        If it holds no numbers, or nothing.
    """
    import numpy as np

    if array.dtype.kind not in "iufc" or not array.size:
        what = "is empty" if array.dtype.kind in "iufc" else f"holds {array.dtype} values, not numbers"
        raise ItemError(f"the array {what}: its shape is {array.shape}", code="not-numbers" if array.size else "empty")
    low, high, total = math.inf, -math.inf, 0.0
    bad = negative = at_low = 0
    whole = True
    for block in blocks(array):
        for part in (block.real, block.imag) if block.dtype.kind == "c" else (block,):
            finite = part if part.dtype.kind in "iu" else part[np.isfinite(part)]
            bad += part.size - finite.size
            if not finite.size:
                continue
            least = float(finite.min())
            same = int(np.count_nonzero(finite == finite.min()))
            at_low = same if least < low else at_low + same if least == low else at_low
            low, high = min(low, least), max(high, float(finite.max()))
            total += float(finite.sum(dtype=np.float64))
            negative += int(np.count_nonzero(finite < 0))
            whole = whole and (finite.dtype.kind in "iu" or bool((finite == np.rint(finite)).all()))
        give_back(array)
    count = array.size * (2 if array.dtype.kind == "c" else 1) - bad
    return Measured(
        shape=array.shape,
        dtype=str(array.dtype),
        low=low if count else 0.0,
        high=high if count else 0.0,
        mean=total / max(count, 1),
        not_finite=bad,
        negative=negative,
        at_low=at_low,
        whole=whole and count > 0,
        roughness=_roughness(array),
        zero_end=_zero_end(array),
    )


def middle(array: Array, side: int = SIDE) -> Array:
    """Return at most ``side`` places of the middle of every axis, finite, as float64."""
    import numpy as np

    cut = tuple(slice(max(0, (n - side) // 2), max(0, (n - side) // 2) + side) for n in array.shape[-2:])
    inner = array[(0,) * (array.ndim - 2)] if array.ndim > 2 else array
    values = np.abs(inner[cut]) if array.dtype.kind == "c" else np.asarray(inner[cut])
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)


def _roughness(array: Array) -> tuple[float, ...]:
    import numpy as np

    inner = middle(array)
    steps = [float(np.abs(np.diff(inner, axis=axis)).mean()) if n > 1 else 0.0 for axis, n in enumerate(inner.shape)]
    total = sum(steps) or 1.0
    return tuple(round(step / total, 4) for step in steps)


def _zero_end(array: Array) -> tuple[int, ...]:
    """Return how many places at the end of each of the last two axes are 0, looking at no more than 64."""
    import numpy as np

    found = []
    for axis in range(max(array.ndim - 2, 0), array.ndim):
        ends = np.moveaxis(array, axis, 0)[::-1][:64]
        if ends[:1].size > 1 << 20:
            found.append(0)
            continue
        sounding = next((index for index, end in enumerate(ends) if end.any()), len(ends))
        found.append(sounding)
    give_back(array)
    return tuple(found)


def give_back(array: Array) -> None:
    """Give the pages of a mapped file back to the system; they are read again if they are needed."""
    import mmap

    base: Any = array
    mode = "r"
    while base is not None and not isinstance(base, mmap.mmap):
        mode = getattr(base, "mode", mode)
        base = getattr(base, "base", None)
    # A private copy (mode c) would lose what was written to it.
    if base is not None and mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
