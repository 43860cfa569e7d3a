"""Doubts about sounds and spectrograms whose values are within all limits, but show another kind, layout or grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.arrays.phases import doubt_frames
from tonearm.errors import Advice, Remedy, RunCommand, SetOption
from tonearm.plugins.context import Context

if TYPE_CHECKING:
    from tonearm.plugins.kind import ArrayTraits
    from tonearm.signals import StftGrid
    from tonearm.typing import Array

FEW = 256
"""Number of values below which a spectrogram shows nothing."""

MANY = 4096
"""Number of samples of which one is negative, of any sound."""

RAISED = 0.03
"""Mean of samples without a negative one that are no row of pulses, as a fraction of the largest."""

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

    values = given.astype(np.float64)
    with np.errstate(over="ignore"):
        if kind != "magnitude" and traits.low >= 0:
            yield SetOption("kind", "magnitude"), values
        if kind != "db" and traits.high - traits.low >= 40:
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


def _as_magnitude(remedy: SetOption) -> Advice:
    """Return the advice to change a recipe and the kind."""
    figures = ", ".join(f"{name}: {value}" for name, value in remedy.value.items())
    return Advice(f"kind magnitude with recipe {{{figures}}}, {remedy.when}")


_RECIPES = RunCommand(("tonearm", "recipes"), "to see the recipes of logarithms, roots and scaled values")


def doubt_waveform(samples: Array, context: Context, *, positive: bool) -> None:
    """Note a doubt if samples seem to be two channels in turns, or floats that were scaled to 0…1.

    Parameters
    ----------
    samples
        Samples of shape (channels, time), float.
    context
        Context of the item.
    positive
        Whether samples were floats of which none is negative.
    """
    if len(samples) == 1:
        from tonearm.findings.samples import seems_interleaved

        if seems_interleaved(samples[0]):
            message = "samples seem to be of two channels in turns, as each resembles the last but one"
            context.doubt(
                message, code="kind-doubtful", remedies=(Advice("save array.reshape(-1, 2), or every other one"),)
            )
            return
    if positive and samples.size >= MANY:
        mean, high = float(samples.mean()), float(samples.max())
        if mean > RAISED * high and float(samples.min()) < high:
            message = f"no sample is negative, and the mean is {mean:.3g}, but samples of sound lie around 0"
            remedies = (Advice("save 2 * array - 1, if they were scaled to 0…1"),) if abs(mean - 0.5) < 0.1 else ()
            context.doubt(message, code="kind-doubtful", remedies=remedies)


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
        part = first[:, first.shape[1] // 2]  # of a sound, both signs are in any frame
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
            context.doubt(message, code="kind-doubtful", remedies=(_POLAR if words == "real" else _POLAR_REVERSED,))
            return True
    return False


_POLAR = Advice("kind magnitude, with polar in place of complex in axes, or phase in place of imag")
_POLAR_REVERSED = Advice("save the magnitudes first, and read them as kind magnitude with an axis polar")
