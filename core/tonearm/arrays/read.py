"""From an array and what the user says of it to signals, one for each element of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tonearm.arrays.axes import arrange
from tonearm.arrays.options import KINDS, ArrayOptions, AxisName, KindName
from tonearm.arrays.values import (
    extent_of,
    finite_extent_of,
    not_finite,
    to_full_scale,
    to_magnitude,
    zeros_for_not_finite,
)
from tonearm.errors import ItemError
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, StftGrid, Waveform

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def read_array(
    array: Array, options: ArrayOptions, *, warn: Callable[[str], None], lengths: Array | None = None
) -> Iterator[Signal]:
    """Yield the signals that an array holds, one for each element of its batch axis.

    Parameters
    ----------
    array
        Any numpy array; a mapped one of float32 or complex64 stays mapped.
    options
        What the user says of it.
    warn
        Takes what is worth knowing but no error.
    lengths
        (batch,) true length of each element along its time or frame axis; the rest is padding and is cropped.

    Raises
    ------
    ItemError
        If the array is not what the options say, could be read in two ways, or holds NaN or infinity.
    """
    array = _numbers(array)
    kind = options.kind or _kind_of(array)
    grid = options.grid() if "bin" in KINDS[kind].axes else None
    sizes: dict[AxisName, int] = {"bin": grid.bins} if grid else {}
    batch = arrange(array, kind, options.axes, sizes)
    if lengths is not None:
        lengths = _checked_lengths(lengths, batch.shape)
    for index in range(batch.shape[0]):
        values = batch[index] if lengths is None else batch[index][..., : int(lengths[index])]
        yield _signal(values, kind, grid, options, warn)


def _numbers(array: Array) -> Array:
    """Return an array of numbers in this machine's byte order, or say what else it is."""
    if array.dtype.kind not in "iufc":
        what = {"O": "Python objects", "b": "true and false", "V": "raw bytes or records", "U": "text", "S": "text"}
        raise ItemError(
            f"the array holds {what.get(array.dtype.kind, str(array.dtype))}, not numbers",
            code="not-numbers",
            hint="save it as float32",
        )
    if array.size == 0:
        raise ItemError(f"the array is empty: its shape is {array.shape}", code="empty")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _kind_of(array: Array) -> KindName:
    """Return what an array is where that is certain."""
    if array.dtype.kind == "c":
        return "complex"
    if array.ndim == 1:
        return "waveform"
    raise ItemError(
        f"a real array of shape {array.shape} does not say what it is",
        code="unknown-kind",
        hint=f"kind: waveform, or {', '.join(kind for kind in KINDS if kind not in ('waveform', 'complex'))}",
    )


def _checked_lengths(lengths: Array, shape: tuple[int, ...]) -> Array:
    """Return one length for each element; models write (batch,) and (batch, 1)."""
    if lengths.ndim == 0 or lengths.size != shape[0] or len(lengths) != shape[0] or lengths.dtype.kind not in "iu":
        raise ItemError(
            f"lengths is {lengths.dtype} of shape {lengths.shape}, not a whole number for each of {shape[0]} elements",
            code="bad-lengths",
        )
    if lengths.min() < 1 or lengths.max() > shape[-1]:
        raise ItemError(
            f"lengths go from {lengths.min()} to {lengths.max()}, but the padded axis has {shape[-1]}",
            code="bad-lengths",
            hint="lengths count along the last axis: samples of a waveform, frames of a spectrogram",
        )
    return lengths.reshape(-1)


def _signal(
    values: Array, kind: KindName, grid: StftGrid | None, options: ArrayOptions, warn: Callable[[str], None]
) -> Signal:
    """Return one signal: values looked at once, then scaled."""
    double = options.precision == "double"
    extent = extent_of(values)
    if not extent.finite:
        if options.nan == "error":
            raise not_finite(values, f"{kind} array")
        extent = finite_extent_of(values)  # what is judged below are the others
        if options.nan == "zero":
            values = zeros_for_not_finite(values)
            warn("NaN or infinite values taken as 0")
    if grid is None:
        samples = to_full_scale(_real(values, kind), options.full_scale, extent, double=double)
        return Waveform(samples=samples, sample_rate=options.sample_rate or 0)
    if kind == "complex":
        if values.dtype.kind != "c":
            raise ItemError("the array is real, but kind is complex", code="kind-mismatch", hint="kind: magnitude?")
        spectrum = values.astype("complex128" if double else "complex64", copy=False)
    else:
        floats = _real(values, kind).astype("float64" if double else "float32", copy=False)
        spectrum = to_magnitude(floats, kind, extent, warn)
    made = ComplexSpectrogram if kind == "complex" else MagnitudeSpectrogram
    return made(values=spectrum, grid=grid, length=options.length)


def _real(values: Array, kind: KindName) -> Array:
    if values.dtype.kind == "c":
        raise ItemError(
            f"the array is complex, but a {kind} is real", code="kind-mismatch", hint="kind: complex, or leave it out"
        )
    return values
