"""The scale of an array: full scale of waveforms, linear magnitudes of spectrograms, and limits of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tonearm.arrays.values import limit_error
from tonearm.errors import ChooseOption, GiveOption, ItemError, SetOption
from tonearm.kinds.logarithms import logarithm_remedies
from tonearm.plugins.kind import ArrayTraits
from tonearm.signals import MAX_AMPLITUDE

if TYPE_CHECKING:
    from tonearm.typing import Array


DECIBEL_LIMIT = 300.0
"""Largest plausible value in decibels: 32-bit integers over an n_fft of 2^20 reach 300 dB."""

MAGNITUDE_LIMIT = 1e16
"""Largest plausible magnitude: 32-bit integers over an n_fft of 2^20 reach 2e15. For powers it is squared."""


def to_full_scale(array: Array, full_scale: float | None, traits: ArrayTraits) -> Any:
    """Return samples with full scale at ±1.0.

    Signed integers are divided by ``full_scale``, by default 2^(bits-1). Floats are divided by ``full_scale``, by
    default 1. A ``full_scale`` of 1 also keeps unsigned integers as they are, so that a transform can decode classes.

    Parameters
    ----------
    array
        Samples of any shape, integers or floats.
    full_scale
        Value of full scale in the array; None for the default.
    traits
        Extent of the finite samples, and whether to return float64; integers of more than 16 bits always become it.

    Raises
    ------
    ItemError
        If ``full_scale`` is None, and floats go beyond ±4 or integers are unsigned or have 64 bits.
    """
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "f" and full_scale is not None:
        peak = _peak(traits) / full_scale
        if peak > MAGNITUDE_LIMIT:
            raise limit_error("waveform", peak, MAGNITUDE_LIMIT)
    float64 = traits.double or (kind in "iu" and bits > 16)  # int32 has more digits than float32
    if kind == "f":
        if full_scale is None:
            _check_full_scale(_peak(traits))
        elif bits == 64:
            array = array / full_scale  # before float32, which may overflow
    values = array.astype("float64" if float64 else "float32", copy=False)
    if kind == "f":
        return values if full_scale is None or bits == 64 else values / values.dtype.type(full_scale)
    if full_scale is None and (kind == "u" or bits == 64):
        raise ItemError(
            f"the full scale of a waveform of {array.dtype} values is unknown",
            code="unknown-scale",
            remedies=(
                SetOption("full_scale", 2 ** (bits - 1), when="if it uses the whole range")
                if bits < 64
                else GiveOption("full_scale", "the value of full scale"),
            ),
        )
    scale = values.dtype.type(full_scale or 2 ** (bits - 1))
    if kind == "u" and full_scale != 1:
        values -= scale  # a copy of integers, which takes no second one
    values /= scale
    return values


def _peak(traits: ArrayTraits) -> float:
    return max(-traits.low, traits.high)


def _check_full_scale(peak: float) -> None:
    if peak > MAX_AMPLITUDE:
        scale = next((2 ** (bits - 1) for bits in (16, 24, 32) if peak <= 2 ** (bits - 1)), None)
        raise ItemError(
            f"the waveform reaches {peak:.6g}, but full scale is ±1.0",
            code="beyond-full-scale",
            remedies=(
                SetOption("full_scale", scale, when=f"if these are {scale.bit_length()}-bit samples stored as floats")
                if scale
                else GiveOption("full_scale", "the value of full scale"),
            ),
        )


def without_negatives(array: Array, kind: str, traits: ArrayTraits, warn: Callable[[str], None]) -> Array:
    """Return magnitudes or powers ≥ 0: small negative ones, which come from rounding, become 0 with a warning.

    Raises
    ------
    ItemError
        If negative values are too large for rounding errors.
    """
    import numpy as np

    if traits.low >= 0:
        return array
    if -traits.low > 1e-3 * max(traits.high, 0.0):
        raise ItemError(
            f"{kind} cannot be negative, but the smallest value is {traits.low:.6g}",
            code="negative-magnitude",
            remedies=logarithm_remedies(traits.low, traits.high),
        )
    warn(f"negative {kind} down to {traits.low:.3g} taken as 0")
    return np.maximum(array, 0.0)


def check_decibels(traits: ArrayTraits) -> None:
    """Raise `ItemError` if decibels are implausibly large."""
    if traits.high > DECIBEL_LIMIT:
        raise ItemError(
            f"the values reach {traits.high:.6g}, but no sound has so many decibels",
            code="not-decibels",
            remedies=(ChooseOption("kind", ("magnitude", "power"), when="if they are linear"),),
        )
