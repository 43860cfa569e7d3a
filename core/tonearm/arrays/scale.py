"""The scale of an array's values: full scale of a waveform, linear magnitudes, and the limits of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tonearm.arrays.extent import Extent
from tonearm.errors import ItemError

if TYPE_CHECKING:
    from tonearm.typing import Array


DECIBEL_LIMIT = 300.0
"""Decibels beyond this are none: 32-bit integers over an n_fft of 2^20 reach 300 dB."""

MAGNITUDE_LIMIT = 1e16
"""No magnitude is beyond this: 32-bit integers over an n_fft of 2^20 reach 2e15. Powers go to its square."""

FULL_SCALE_LIMIT = 4.0
"""Floats beyond this (+12 dBFS) are no ±1.0 waveform: they hold 16-bit samples, or something else."""


def to_full_scale(array: Array, full_scale: float | None, extent: Extent, *, double: bool) -> Any:
    """Return a waveform with full scale at ±1.0.

    Signed integers are divided by 2^(bits-1), or by ``full_scale``; floats are taken as they are, or divided by it. A
    ``full_scale`` of 1 leaves whole numbers as they are, unsigned ones too: classes, which a transform decodes.

    Raises
    ------
    ItemError
        If floats go beyond ±4 and nobody said what full scale is, or integers are unsigned or 64 bits wide, which
        models do not write as sound.
    """
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "f" and full_scale is not None:
        check_range("waveform", Extent(extent.low / full_scale, extent.high / full_scale))
    float64 = double or (kind in "iu" and bits > 16)  # int32 has more digits than float32
    if kind == "f":
        if full_scale is None:
            _check_full_scale(extent)
        elif bits == 64:
            array = array / full_scale  # before float32, which may be too small for what they are
    values = array.astype("float64" if float64 else "float32", copy=False)
    if kind == "f":
        return values if full_scale is None or bits == 64 else values / values.dtype.type(full_scale)
    if full_scale is None and (kind == "u" or bits == 64):
        raise ItemError(
            f"a waveform of {array.dtype} values does not say what full scale is",
            code="unknown-scale",
            hint=f"full_scale: {2 ** (bits - 1)}, if it uses the whole range" if bits < 64 else "give full_scale",
        )
    scale = values.dtype.type(full_scale or 2 ** (bits - 1))
    return (values - scale) / scale if kind == "u" and full_scale != 1 else values / scale


def _check_full_scale(extent: Extent) -> None:
    if extent.finite and extent.peak > FULL_SCALE_LIMIT:
        scale = next((2 ** (bits - 1) for bits in (16, 24, 32) if extent.peak <= 2 ** (bits - 1)), None)
        raise ItemError(
            f"the waveform reaches {extent.peak:.6g}, but full scale is ±1.0",
            code="beyond-full-scale",
            hint=f"full_scale: {scale}, if these are {scale.bit_length()}-bit samples held as floats"
            if scale
            else "full_scale says which value in the array is full scale",
        )


def check_range(kind: str, extent: Extent) -> None:
    """Raise `ItemError` if values are finite, but so great that float32, or a transform of them, would overflow.

    Parameters
    ----------
    kind
        What they are; waveforms and decibels have limits of their own.
    extent
        Of the finite ones.
    """
    limit = MAGNITUDE_LIMIT**2 if kind in ("power", "mel") else MAGNITUDE_LIMIT
    if extent.peak > limit:
        raise ItemError(
            f"the {kind} array reaches {extent.peak:.6g}, but no sound goes beyond {limit:g}",
            code="beyond-range",
            hint="look at the model's output; or the values are of another type or byte order",
        )


def to_magnitude(array: Array, kind: str, extent: Extent, warn: Callable[[str], None]) -> Any:
    """Return linear magnitudes of an array that holds magnitude, power, or decibels (20 log10 of the magnitude).

    Small negative magnitudes and powers, as arithmetic leaves them, become 0 with a warning.

    Raises
    ------
    ItemError
        If there are negative values too great to be rounding, or decibels that no sound has.
    """
    import numpy as np

    if kind == "db":
        if extent.high > DECIBEL_LIMIT:
            raise ItemError(
                f"the values reach {extent.high:.6g}, but no sound has so many decibels",
                code="not-decibels",
                hint="kind: magnitude or kind: power, if they are linear",
            )
        return np.power(array.dtype.type(10), array / array.dtype.type(20))
    if extent.low < 0:
        if -extent.low > 1e-3 * max(extent.high, 0.0):
            raise ItemError(
                f"{kind} cannot be negative, but the least value is {extent.low:.6g}",
                code="negative-magnitude",
                hint="kind: db, if these are decibels",
            )
        warn(f"negative {kind} down to {extent.low:.3g} taken as 0")
        array = np.maximum(array, array.dtype.type(0))
    with np.errstate(invalid="ignore"):  # -inf, where nan: keep lets it through
        return np.sqrt(array) if kind == "power" else array
