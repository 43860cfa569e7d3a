"""The scale of an array: full scale of waveforms, linear magnitudes of spectrograms, and limits of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tonearm.arrays.values import limit_error
from tonearm.errors import Advice, ChooseOption, GiveOption, ItemError, Remedy, SetOption
from tonearm.plugins.kind import ArrayTraits
from tonearm.signals import MAX_AMPLITUDE

if TYPE_CHECKING:
    from tonearm.typing import Array


MIN_PEAK = 1e-3
"""Least plausible peak of samples, -60 dBFS, for a scale that a message proposes."""

LOW_PEAK = 0.03
"""Peak of samples, -30 dBFS, below which a message that proposes a scale tells the peak."""

_GIVE_SCALE = GiveOption("full_scale", "the value of full scale")

WIDE_PEAK = 2.0**24
"""Peak from which int32 holds samples of 32 bits; below it, they may have 16 or 24 bits in a wider type."""

_OF_CODES = "codes of mu-law need full_scale 1 and the step mu-law-decode with values indices"

MIN_WHOLE_NUMBERS = 256
"""Number of integer samples from which one is negative in any sound."""

STANDARDISED = Advice("if these are standardised, save array * std + mean, with the statistics of the model")

MU_LAW_CODES = 256
"""Number of codes of mu-law."""

_OF_TOKENS = "no value is negative, as of tokens, which only their codec can decode"

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
        If ``full_scale`` is None, and floats go beyond ±4, integers are unsigned or have 64 bits, or those of 32 bits
        stay below 2^24, as samples of fewer bits in a wider type do.
    """
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "f" and full_scale is not None:
        peak = _peak(traits) / full_scale
        if peak > MAGNITUDE_LIMIT:
            raise limit_error("waveform", peak, MAGNITUDE_LIMIT)
    float64 = traits.double or (kind in "iu" and bits > 16)  # int32 has more digits than float32
    if kind == "f":
        if full_scale is None:
            _check_full_scale(traits)
        elif bits == 64:
            array = array / full_scale  # before float32, which may overflow
    values = array.astype("float64" if float64 else "float32", copy=False)
    if kind == "f":
        return values if full_scale is None or bits == 64 else values / values.dtype.type(full_scale)
    if full_scale is None and (kind == "u" or (bits >= 32 and not _uses_range(traits, bits))):
        raise unknown_scale(array, traits)
    scale = values.dtype.type(full_scale or 2 ** (bits - 1))
    if kind == "u" and full_scale != 1:
        values -= scale  # a copy of integers, which takes no second one
    values /= scale
    return values


def _uses_range(traits: ArrayTraits, bits: int) -> bool:
    """Return whether signed integers seem to use the range of their type. To 0 no scale matters."""
    return bits == 32 and (_peak(traits) == 0 or _peak(traits) >= WIDE_PEAK)


def unknown_scale(array: Array, traits: ArrayTraits) -> ItemError:
    """Return the error for integers that do not show what full scale is.

    Parameters
    ----------
    array
        Samples, integers.
    traits
        Extent of the samples.
    """
    dtype, peak = array.dtype.name, _peak(traits)
    remedies: tuple[Remedy, ...] = ()
    if dtype in ("uint8", "uint16", "uint32"):
        remedies = (SetOption("full_scale", 2 ** (int(dtype[4:]) - 1), "if it uses the whole range"),)
        if dtype == "uint8":
            remedies = (*remedies, Advice(_OF_CODES))
    elif not dtype.startswith("u"):
        remedies = scale_remedies(peak, "these are {}-bit samples", most=3)
        if traits.low >= 0 and array.size >= MIN_WHOLE_NUMBERS:  # samples of sound are negative, too
            remedies = (Advice(_OF_CODES if peak < MU_LAW_CODES else _OF_TOKENS), *remedies[: peak >= MU_LAW_CODES])
    return ItemError(
        f"the full scale of a waveform of {dtype} values is unknown: the largest is {peak:.9g}",
        code="unknown-scale",
        remedies=remedies or (_GIVE_SCALE,),
    )


def scaled(values: Array, full_scale: float | None) -> Array:
    """Return linear values of a spectrogram whose samples had another full scale than ±1.0.

    Parameters
    ----------
    values
        Complex values or magnitudes, float or complex of any precision.
    full_scale
        Value of full scale in the samples behind the spectrogram; None for 1.

    Returns
    -------
    ndarray
        Values divided by ``full_scale``, of the same type; the array itself if it is None.
    """
    return values if full_scale is None else values / full_scale


def _peak(traits: ArrayTraits) -> float:
    return max(abs(traits.low), abs(traits.high))


def scale_remedies(peak: float, which: str, *, most: int = 1, stage: str = "") -> tuple[Remedy, ...]:
    """Return the values of full scale that are plausible for a peak: it is then below full scale, and can be heard.

    Parameters
    ----------
    peak
        Largest absolute sample.
    which
        Words for samples of a number of bits: ``these are {}-bit samples``.
    most
        Largest number of values to propose.
    stage
        Stage that has the option; empty for the one that has the problem.
    """
    scales = [(bits, 2 ** (bits - 1)) for bits in (8, 16, 24, 32)]
    fitting = [(bits, scale) for bits, scale in scales if MIN_PEAK * scale <= peak <= scale]
    remedies = [
        SetOption("full_scale", scale, f"if {which.format(bits)}{_level(peak / scale)}", stage)
        for bits, scale in fitting[:most]
    ]
    if 1 < peak <= 127 and most == 1:
        remedies = [SetOption("full_scale", math.ceil(peak), "to bring the peak to full scale", stage), *remedies]
    return tuple(remedies)


def _level(peak: float) -> str:
    """Return a peak in dBFS after a comma if it is lower than that of most sounds; else an empty text."""
    return f", with a peak of {20 * math.log10(peak):.0f} dBFS" if peak < LOW_PEAK else ""


def _check_full_scale(traits: ArrayTraits) -> None:
    peak = _peak(traits)
    if peak <= MAX_AMPLITUDE:
        return
    message = f"the waveform reaches {peak:.6g}, but full scale is ±1.0"
    remedies = scale_remedies(peak, "these are {}-bit samples stored as floats")
    bits = next((bits for bits in (8, 16) if peak < 2**bits), 0)
    if traits.low >= 0 and bits:  # full scale alone would leave the middle of unsigned samples where it is
        message = f"{message}, and no value is negative"
        middle = 2 ** (bits - 1)
        advice = f"if these are unsigned {bits}-bit samples, save them as uint{bits}, or save (x - {middle}) / {middle}"
        remedies = (Advice(advice),)
    raise ItemError(message, code="beyond-full-scale", remedies=remedies or (_GIVE_SCALE,))


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
        from tonearm.kinds.logarithms import logarithm_remedies  # not at the top: only this error needs it

        remedies = logarithm_remedies(traits.low, traits.high, exponent=2 if kind == "power" else 1)
        raise ItemError(
            f"{kind} cannot be negative, but the smallest value is {traits.low:.6g}",
            code="negative-magnitude",
            remedies=(STANDARDISED,) if are_standardised(array, traits) else remedies,
        )
    warn(f"negative {kind} down to {traits.low:.3g} taken as 0")
    return np.maximum(array, 0.0)


def are_standardised(values: Array, traits: ArrayTraits) -> bool:
    """Return whether values have a mean of 0 and a deviation of 1, as standardised ones do."""
    from tonearm.recipes.doubts import MAX_STANDARDISED  # not at the top: only errors and doubts need it

    if not (traits.low < 0 < traits.high and max(-traits.low, traits.high) <= MAX_STANDARDISED):
        return False
    return abs(float(values.mean(dtype="f8"))) <= 0.02 and abs(float(values.std(dtype="f8")) - 1) <= 0.02


def check_decibels(traits: ArrayTraits) -> None:
    """Raise `ItemError` if decibels are implausibly large."""
    if traits.high > DECIBEL_LIMIT:
        raise ItemError(
            f"the values reach {traits.high:.6g}, but no sound has so many decibels",
            code="not-decibels",
            remedies=(ChooseOption("kind", ("magnitude", "power"), when="if they are linear"),),
        )
