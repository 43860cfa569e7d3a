"""NaN and infinity in an array: counted, replaced, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.arrays.extent import blocks
from tonearm.errors import ItemError

if TYPE_CHECKING:
    from tonearm.typing import Array


def count_not_finite(array: Array) -> int:
    """Return how many values are NaN or infinite."""
    import numpy as np

    return sum(int(block.size - np.isfinite(block).sum()) for block in blocks(array))


def replace_not_finite(array: Array) -> Array:
    """Return a copy with 0 wherever a value is NaN or infinite."""
    import numpy as np

    return np.where(np.isfinite(array), array, array.dtype.type(0))


def not_finite_error(array: Array, what: str) -> ItemError:
    """Return the error for an array with NaN or infinity in it."""
    return ItemError(
        f"{count_not_finite(array)} of {array.size} values of the {what} are NaN or infinite",
        code="not-finite",
        hint="look at the model's output; nan: zero puts 0 there",
    )
