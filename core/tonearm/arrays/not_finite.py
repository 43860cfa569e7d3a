"""NaN and infinity in an array: count, replace or refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.errors import Advice, ItemError, SetOption
from tonearm.findings.blocks import blocks

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
    """Return the error for an array with NaN or infinity."""
    return ItemError(
        f"{count_not_finite(array)} of {array.size} values of the {what} are NaN or infinite",
        code="not-finite",
        remedies=(SetOption("nan", "zero", when="to replace them with 0"), Advice("check the model's output")),
    )
