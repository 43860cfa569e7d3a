"""The values of an array: their type, and whether they can be sound at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tonearm.errors import Advice, ItemError, Remedy, RemoveOption, SetOption
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.ports import ports_of
from tonearm.signals import ComplexSpectrogram

if TYPE_CHECKING:
    from tonearm.typing import Array


def numbers(array: Array) -> Array:
    """Return an array of numbers in this machine's byte order, or raise `ItemError` if it holds anything else."""
    if array.dtype.kind not in "iufc":
        what = {"O": "Python objects", "b": "true and false", "V": "raw bytes or records", "U": "text", "S": "text"}
        raise ItemError(
            f"the array holds {what.get(array.dtype.kind, str(array.dtype))}, not numbers",
            code="not-numbers",
            hint="convert it to float32",
        )
    if array.ndim == 0:
        raise ItemError(f"it is a single number, {array}, not an array", code="scalar", hint="check the model's output")
    if array.size == 0:
        raise ItemError(f"the array is empty: its shape is {array.shape}", code="empty")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


NEGLIGIBLE = 1e-5
"""Share of the largest real part up to which imaginary parts are rounding errors, as an inverse FFT leaves them."""


def is_real(array: Array) -> bool:
    """Return whether the imaginary parts of a complex array are rounding errors."""
    return bool(abs(array.imag).max() <= NEGLIGIBLE * abs(array.real).max())


def real_or_complex(array: Array, kind: Kind[Any, Any], context: Context) -> Array:
    """Return an array that is complex or real as its kind is: of a waveform with real values, the real parts.

    Raises
    ------
    ItemError
        If the array is complex and its kind real, or the reverse.
    """
    if array.dtype.kind == "c" and kind.dtype != "complex":
        if (kind.axes == ("time",) or kind.name == "magnitude") and is_real(array):
            if peak := float(abs(array.imag).max()):
                context.warn(f"imaginary parts up to {peak:.2g} left out")
            return array.real
        is_row = array.size == max(array.shape)  # which is no spectrogram either
        remedies: tuple[Remedy, ...] = (SetOption("kind", "complex"), RemoveOption("kind"))
        raise ItemError(
            f"the array is complex, but a {kind.name} is real",
            code="kind-mismatch",
            remedies=(Advice("save its real part: array.real"),) if is_row else remedies,
        )
    if array.dtype.kind != "c" and kind.dtype == "complex":
        parts = SetOption("axes", [*kind.axes, "complex"], when="if it has an axis of real and imaginary parts")
        magnitude = SetOption("kind", "magnitude")
        raise ItemError(
            f"the array is real, but kind is {kind.name}",
            code="kind-mismatch",
            remedies=(
                *((parts,) if "complex" in kind.optional_axes else ()),
                *((magnitude,) if ComplexSpectrogram in ports_of(type(kind)).gives else ()),
            ),
        )
    return array


def limit_error(kind: str, peak: float, limit: float) -> ItemError:
    """Return the error for values so large that float32, or a transform of them, would overflow.

    Parameters
    ----------
    kind
        Name of the kind of the array.
    peak
        Largest absolute value.
    limit
        Largest absolute value that is plausible.
    """
    return ItemError(
        f"the {kind} array reaches {peak:.6g}, but no sound goes beyond {limit:g}",
        code="beyond-range",
        hint="check the model's output; the type or byte order of the values may be wrong",
    )


def converted(values: Array, dtype: Literal["real", "complex", "stored"], *, double: bool) -> Array:
    """Return values of the type that a kind takes, in single or double precision; a view where nothing changes."""
    if dtype == "stored":
        return values
    name = ("complex128" if double else "complex64") if dtype == "complex" else ("float64" if double else "float32")
    if values.dtype == name:
        return values
    import numpy as np

    with np.errstate(over="ignore"):  # decibels may go to minus infinity
        return values.astype(name)
