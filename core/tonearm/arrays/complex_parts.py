"""Complex values stored in two parts: real and imaginary, or magnitude and phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.errors import ItemError, RemoveOption, SetOption

if TYPE_CHECKING:
    from tonearm.typing import Array


def check_real(array: Array, what: str, option: str = "axes") -> None:
    """Raise `ItemError` if an array that should hold one part of complex values is complex.

    Parameters
    ----------
    array
        Array.
    what
        What the array should hold.
    option
        Option that says so: ``axes``, ``imag`` or ``phase``.
    """
    if array.dtype.kind == "c":
        whole = SetOption("kind", "complex", instead_of=option)
        remedies = (whole if option == "phase" else RemoveOption(option),)
        raise ItemError(
            f"the array is complex itself, so it cannot hold {what}", code="kind-mismatch", remedies=remedies
        )


def check_parts(first: Array, second: Array, names: tuple[str, str]) -> None:
    """Raise `ItemError` unless two arrays are real and of one shape.

    Parameters
    ----------
    first, second
        Arrays of any shape and dtype.
    names
        Names of the arrays in messages.
    """
    option = "phase" if names[1] == "phases" else "imag"
    check_real(first, names[0], option)
    check_real(second, names[1], option)
    if first.shape != second.shape:
        raise ItemError(
            f"the {names[0]} have the shape {first.shape}, but the {names[1]} {second.shape}", code="parts-mismatch"
        )


def from_real_and_imaginary(real: Array, imag: Array, *, double: bool) -> Array:
    """Return complex values, complex64 or complex128, from two arrays of the same shape."""
    import numpy as np

    made = np.empty(real.shape, "complex128" if double else "complex64")
    with np.errstate(over="ignore"):  # values that overflow float32 become infinite, and are refused later
        made.real, made.imag = real, imag
    return made


def from_magnitude_and_phase(magnitude: Array, phase: Array) -> Array:
    """Return complex values from magnitudes and phases.

    Parameters
    ----------
    magnitude
        Magnitudes, float32 or float64.
    phase
        Phases in radians.
    """
    import numpy as np

    double = magnitude.dtype == np.float64
    made = np.empty(magnitude.shape, np.complex128 if double else np.complex64)
    angle = phase.astype(np.float64 if double else np.float32, copy=False)
    with np.errstate(invalid="ignore"):  # infinite phases pass with nan: keep
        np.multiply(magnitude, np.cos(angle), out=made.real)
        np.multiply(magnitude, np.sin(angle), out=made.imag)
    return made
