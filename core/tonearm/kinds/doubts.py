"""Doubts about sounds and spectrograms whose values are within all limits, but show another kind, layout or grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.arrays.axes import MAGNITUDES_FIRST
from tonearm.arrays.phases import FEW, doubt_frames
from tonearm.errors import Advice, ChooseOption, Remedy, RunCommand, SetLimit, SetOption
from tonearm.errors.text import counted
from tonearm.kinds.scale import MIN_WHOLE_NUMBERS, STANDARDISED, are_standardised
from tonearm.plugins.context import Context

if TYPE_CHECKING:
    from tonearm.plugins.kind import ArrayTraits
    from tonearm.signals import StftGrid
    from tonearm.typing import Array

MIN_SAMPLES = 4096
"""Number of floating-point samples from which one is negative in any sound."""

MIN_SPAN_DB = 24.0
"""Span below which values are no decibels: those of noise span more, because a bin of it may be very low."""

MANY_DECIBELS = 1024
"""Number of values from which their span shows that."""

RAISED = 0.03
"""Mean from which samples without a negative one are not a row of pulses, as a fraction of the largest."""

MAX_READINGS = 2
"""Largest number of other readings that a message names."""

LOG1P = {"log": "ln", "floor": 1.0, "floor_mode": "add"}
"""Recipe of the logarithm of 1 + x."""


def doubt_magnitudes(
    magnitudes: Array, given: Array, traits: ArrayTraits, kind: str, recipe: str, grid: StftGrid, context: Context
) -> None:
    """Note a doubt if magnitudes vary too little for those of a sound, as compressed ones do.

    Parameters
    ----------
    magnitudes
        Linear magnitudes of shape (channels, bins, frames), as they were understood.
    given
        Values of the array that they were made of.
    traits
        Extent of those values.
    kind
        Name of the kind.
    recipe
        Name of the recipe; empty if none was given.
    grid
        Grid of the analysis.
    context
        Context of the item.
    """
    from tonearm.findings.compression import MIN_VALUES, seems_compressed
    from tonearm.signals.windows import window_values

    if magnitudes[0].size < MIN_VALUES or grid.bins < grid.n_fft // 2 or traits.low == traits.high:
        return
    window = window_values(grid.window, grid.win_length, grid.n_fft, grid.window_position)

    def compressed(values: Array) -> bool:
        return seems_compressed(values[0], window, grid.hop_length)

    if not compressed(magnitudes):
        return
    if recipe:
        message = f"values in the recipe {recipe} vary too little for a sound"
        context.doubt(message, code="dialect-doubtful", remedies=(_RECIPES,))
        return
    remedies = tuple(
        remedy
        for remedy, values in _readings(given, traits, kind, grid)
        if float(values[0].max()) <= 4 * grid.n_fft and not compressed(values)
    )
    message = f"values of kind {kind} vary too little for a sound, as compressed ones do"
    context.doubt(message, code="kind-doubtful", remedies=remedies[:MAX_READINGS] or (_RECIPES,))


def _readings(given: Array, traits: ArrayTraits, kind: str, grid: StftGrid) -> Iterator[tuple[Remedy, Array]]:
    """Yield other readings of values, each with its linear magnitudes."""
    import numpy as np

    from tonearm.recipes.variants import DECIBEL_SPAN

    values = given.astype(np.float64)
    with np.errstate(over="ignore"):
        if kind != "magnitude" and traits.low >= 0:
            yield SetOption("kind", "magnitude"), values
        if kind != "db" and traits.high - traits.low >= DECIBEL_SPAN:
            yield SetOption("kind", "db", "if these are decibels"), 10 ** (values / 20)
        if kind != "db":
            if traits.high <= 1:
                scaled = SetOption("recipe", _keithito(grid), "if these are decibels scaled to 0…1")
                yield (scaled if kind == "magnitude" else _as_magnitude(scaled)), 10 ** (values * 5 - 4)
            logarithm = SetOption("recipe", LOG1P, "if these are log1p(x)")
            yield (logarithm if kind == "magnitude" else _as_magnitude(logarithm)), np.expm1(values)
            for exponent in (0.3, 0.5):
                root = SetOption("recipe", {"exponent": exponent, "log": "none"}, f"if these are x ** {exponent:g}")
                yield (root if kind == "magnitude" else _as_magnitude(root)), values ** (1 / exponent)
        else:
            for log, base in (("ln", math.e), ("log10", 10.0), ("log2", 2.0)):
                yield _as_magnitude(SetOption("recipe", {"log": log}, f"if these are {log}(x)")), base**values


def _keithito(grid: StftGrid) -> dict[str, Any]:
    """Return the recipe of Keith Ito's Tacotron on another grid."""
    figures = ("sample_rate", "n_fft", "hop_length", "win_length")
    return {"base": "tacotron-keithito", **{name: getattr(grid, name) for name in figures}}


def _as_magnitude(remedy: SetOption) -> SetOption:
    """Return the remedy that sets a recipe together with its kind."""
    return SetOption("kind", "magnitude", remedy.when, also={remedy.option: remedy.value})


_RECIPES = RunCommand(("tonearm", "recipes"), "to see the recipes of logarithms, roots and scaled values")


def doubt_decibels(values: Array, traits: ArrayTraits, context: Context) -> None:
    """Note a doubt if decibels look like linear values: none is below 0, and most are far below the largest."""
    if 0 <= traits.low < 0.01 * traits.high and float(values.mean()) < 0.1 * traits.high:
        message = f"values from {traits.low:.3g} to {traits.high:.3g}, most of them small, seem to be linear"
        context.doubt(message, code="kind-doubtful", remedies=(ChooseOption("kind", ("magnitude", "power")),))
    elif 0 < traits.high - traits.low < MIN_SPAN_DB and values.size >= MANY_DECIBELS:
        from tonearm.kinds.logarithms import recipes_of  # not at the top: only this doubt needs it

        message = f"values span only {traits.high - traits.low:.3g} dB, but those of a sound span 40 dB or more"
        when = "if these are logarithms of magnitudes"
        recipes = recipes_of(traits.low, traits.high)
        remedies = tuple(SetOption("kind", "magnitude", when, also={"recipe": recipe}) for recipe in recipes)
        standardised = (STANDARDISED,) if are_standardised(values, traits) else ()
        context.doubt(message, code="kind-doubtful", remedies=standardised or remedies)


def doubt_samples(array: Array, traits: ArrayTraits, context: Context) -> None:
    """Note a doubt if many whole numbers look like classes or tokens: none is negative, and they differ."""
    if array.dtype.kind == "i" and array.size >= MIN_WHOLE_NUMBERS and 0 <= traits.low < traits.high > 1:
        message = f"no value of {array.dtype.name} is negative, as in token numbers, but samples lie around 0"
        remedies = (SetLimit("dialect", "off", "if this is sound"),)
        context.doubt(message, code="kind-doubtful", remedies=remedies)


MOST_CHANNELS = 64
"""Largest number of channels that are not doubted, however short they are: those of ambisonics of order seven."""

RATES_IN_KHZ = frozenset((8, 11, 12, 16, 22, 24, 32, 44, 48, 96))
"""Whole numbers that stand for usual sample rates in kHz."""


def doubt_waveform(samples: Array, context: Context, *, positive: bool) -> None:
    """Note a doubt if samples seem to have wrong axes, to be two channels in turns, or to be scaled to 0…1.

    Parameters
    ----------
    samples
        Samples of shape (channels, time), float.
    context
        Context of the item.
    positive
        Whether samples were floats of which none is negative.
    """
    channels, length = samples.shape
    if channels > max(MOST_CHANNELS, length):
        message = f"the sound has {channels} channels of {counted(length, 'sample')}"
        remedy = SetOption("axes", ["time", "channel"], "if the channels are the last axis")
        context.doubt(message, code="axes-doubtful", remedies=(remedy,))
        return
    if channels == 1:
        from tonearm.findings.samples import seems_interleaved

        if seems_interleaved(samples[0]):
            message = "samples seem to be of two channels in turns, as each resembles the last but one"
            context.doubt(
                message, code="kind-doubtful", remedies=(Advice("save array.reshape(-1, 2), or every other one"),)
            )
            return
    if positive and samples.size >= MIN_SAMPLES:
        mean, high = float(samples.mean()), float(samples.max())
        if mean > RAISED * high and float(samples.min()) < high:
            message = f"no sample is negative, and the mean is {mean:.3g}, but samples of sound lie around 0"
            remedies = (Advice("save 2 * array - 1, if they were scaled to 0…1"),) if abs(mean - 0.5) < 0.1 else ()
            context.doubt(message, code="kind-doubtful", remedies=remedies)


def doubt_rate(sample_rate: int | None, context: Context) -> None:
    """Note a doubt if a sample rate seems to be in kHz."""
    if sample_rate is not None and sample_rate in RATES_IN_KHZ:
        message = f"a sample rate of {sample_rate} Hz is too low for sound"
        remedy = SetOption("sample_rate", sample_rate * 1000, "if it is in kHz")
        context.doubt(message, code="rate-doubtful", remedies=(remedy,))


def doubt_complex(values: Array, grid: StftGrid, context: Context) -> None:
    """Note a doubt if complex values are magnitudes, or magnitudes and phases, or frames show another grid.

    Parameters
    ----------
    values
        Complex values of shape (channels, bins, frames).
    grid
        Grid of the analysis.
    context
        Context of the item.
    """
    first = values[0]
    if first.size >= FEW:
        part = first[:: max(1, first.shape[0] // FEW), first.shape[1] // 2]  # of a sound, both signs are in any frame
        if not ((part.real < 0).any() and (part.imag < 0).any()) and _doubt_parts(first, context):
            return
    doubt_frames(first, grid, context)


def _doubt_parts(values: Array, context: Context) -> bool:
    """Note a doubt if the parts of complex values are magnitudes and phases; return whether there is one."""
    from tonearm.findings.layout import MIN_PHASE, PHASE_LIMIT

    real, imag = values.real, values.imag
    if not real.any():
        return False
    if not imag.any():
        if float(real.min()) < 0:
            return False
        remedies = (SetOption("kind", "magnitude", "if these are magnitudes"),)
        context.doubt("no complex value has an imaginary part", code="kind-doubtful", remedies=remedies)
        return True
    for one, other, words in ((real, imag, "real"), (imag, real, "imaginary")):
        if float(one.min()) >= 0 and MIN_PHASE <= float(abs(other).max()) <= PHASE_LIMIT:
            rest = "imaginary" if words == "real" else "real"
            message = f"no {words} part is negative, and the {rest} parts are within ±π: magnitudes and phases"
            context.doubt(message, code="kind-doubtful", remedies=(_POLAR if words == "real" else MAGNITUDES_FIRST,))
            return True
    return False


_POLAR = Advice("kind magnitude, with polar in place of complex in axes, or phase in place of imag")
