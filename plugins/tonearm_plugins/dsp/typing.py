"""Names for the types of NumPy arrays, shared by all of signal processing and by file formats.

A name says which numbers an array holds. Its shape and its unit are in the docstring of the function that takes it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""Numbers of any kind: what a file or a caller hands over, and results that keep the type of what was given."""

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
"""Real floating-point numbers of any precision."""

Float32Array: TypeAlias = npt.NDArray[np.float32]
Float64Array: TypeAlias = npt.NDArray[np.float64]

ComplexArray: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]
"""Complex numbers of any precision."""

Complex64Array: TypeAlias = npt.NDArray[np.complex64]

BoolArray: TypeAlias = npt.NDArray[np.bool_]
UInt8Array: TypeAlias = npt.NDArray[np.uint8]
Int32Array: TypeAlias = npt.NDArray[np.int32]
UInt32Array: TypeAlias = npt.NDArray[np.uint32]
Int64Array: TypeAlias = npt.NDArray[np.int64]

IndexArray: TypeAlias = npt.NDArray[np.intp]
"""Indices into other arrays, as `numpy.flatnonzero` and `numpy.argsort` return them."""
