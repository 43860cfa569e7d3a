"""The memory that an array takes together with its conversion to a signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tonearm.arrays.options import ArrayOptions

if TYPE_CHECKING:
    from tonearm.plugins.kind import Kind
    from tonearm.typing import Array

CHECKED_FROM: Final = 1 << 23
"""Number of values from which on the memory of a conversion is checked: 64 MB in double precision."""

_COPIES: Final = 2
"""Arrays of converted values that a recipe or a second part needs at once."""


def check_conversion(array: Array, options: ArrayOptions, *, parts: int = 0) -> None:
    """Raise `ItemError` if an array and its conversion would take more memory than is allowed.

    A mapped array takes none itself, and one of float32 or complex64 that stays as it is takes none beside itself.

    Parameters
    ----------
    array
        Array of any dtype and shape.
    options
        Options that describe the array.
    parts
        Number of arrays of its shape that are combined with it: imaginary parts or phases.

    Raises
    ------
    ItemError
        ``too-large``.
    """
    kind = options.read_kind.of(array)
    elements = array.shape[options.axes.index("batch")] if options.axes and "batch" in options.axes[: array.ndim] else 1
    values = math.prod(array.shape) // max(elements, 1)
    double = options.precision == "double"
    complex_values = kind.dtype == "complex" or parts > 0
    size = (8 if double else 4) * (2 if complex_values else 1)
    if kind.dtype == "stored":  # of waveforms, where integers of more than 16 bits take double precision
        wide = array.dtype.kind in "iu" and array.dtype.itemsize > 2
        size = 8 if double or wide else 4
        copies = int(_is_changed(array, kind, "f", size))
    elif kind.dtype == "complex" and not parts:
        copies = _COPIES if _is_changed(array, kind, "c", size) else 0
    else:
        copies = _COPIES
    if options.nan == "zero":
        copies += 1
    if not array.dtype.isnative:
        copies += -(-array.nbytes // max(size * values, 1))
    needed = copies * size * values + (0 if is_mapped(array) else (1 + parts) * array.nbytes)
    from tonearm.reading.memory import check_memory  # not at the top: only large arrays need it

    check_memory(f"{kind.name} array", "", needed // 2)  # which counts it twice


def _is_changed(array: Array, kind: Kind[Any, Any], letter: str, size: int) -> bool:
    """Return whether values become others: of another type than that of this letter and size, or of another scale."""
    scale = getattr(kind.options, "full_scale", None)
    return array.dtype.kind != letter or array.dtype.itemsize != size or scale is not None


def is_mapped(array: Any) -> bool:
    """Return whether the values of an array are those of a mapped file."""
    import numpy as np

    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False
