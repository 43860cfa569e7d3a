"""The array types of annotations, for the whole core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Float64Array = np.ndarray[Any, np.dtype[np.float64]]
