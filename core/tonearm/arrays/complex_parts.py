"""Complex values written in two parts: real and imaginary, or magnitude and phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.arrays.extent import extent_of
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.options import NanPolicy
from tonearm.errors import ItemError

if TYPE_CHECKING:
    from tonearm.typing import Array


def check_real(array: Array, what: str) -> None:
    """Raise `ItemError` if an array that should hold one part of complex values holds both."""
    if array.dtype.kind == "c":
        hint = "kind: complex alone reads it"
        raise ItemError(f"the array is complex itself, and no place for {what}", code="kind-mismatch", hint=hint)


def check_parts(first: Array, second: Array, names: tuple[str, str]) -> None:
    """Raise `ItemError` unless two arrays are real and of one shape.

    Parameters
    ----------
    first, second
        Of any shape and dtype.
    names
        What they are called in messages.
    """
    check_real(first, names[0])
    check_real(second, names[1])
    if first.shape != second.shape:
        raise ItemError(
            f"the {names[0]} have the shape {first.shape}, but the {names[1]} {second.shape}", code="parts-mismatch"
        )


def from_real_and_imaginary(real: Array, imag: Array, *, double: bool) -> Array:
    """Return complex64 (or complex128) values; both of one shape."""
    import numpy as np

    made = np.empty(real.shape, "complex128" if double else "complex64")
    with np.errstate(over="ignore"):  # what does not fit into float32 is infinite, and refused as such
        made.real, made.imag = real, imag
    return made


def from_magnitude_and_phase(magnitude: Array, phase: Array, nan: NanPolicy) -> Array:
    """Return complex values of magnitudes (float32 or float64) and phases in radians.

    Raises
    ------
    ItemError
        If phases are NaN or infinite, and ``nan`` is ``error``.
    """
    import numpy as np

    if not extent_of(phase).finite and nan != "keep":
        if nan == "error":
            raise not_finite_error(phase, "phase array")
        phase = replace_not_finite(phase)
    double = magnitude.dtype == np.float64
    made = np.empty(magnitude.shape, np.complex128 if double else np.complex64)
    angle = phase.astype(np.float64 if double else np.float32, copy=False)
    with np.errstate(invalid="ignore"):  # infinite phases, where nan: keep lets them through
        made.real, made.imag = magnitude * np.cos(angle), magnitude * np.sin(angle)
    return made
