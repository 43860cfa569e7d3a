"""Guesses for logarithms of linear spectrograms, by their range and their floor."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from tonearm.findings.notes import Notes
from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.recipe import LOGARITHM_BASES, matching

MIN_FLOOR_COUNT = 3
"""Least number of values that equal a floor, for it to be one."""

MIN_LEVEL = 0.15
"""Least mean of logarithms that were scaled to begin at 0, as a fraction of the largest; that of magnitudes is less."""

DEFAULT_EXPONENT = 5
"""Negative exponent of ten of a recipe's floor by default."""

_EXPONENTS = range(3, 13)


class Logarithm(Struct, frozen=True):
    """The recipe of logarithms, as the values of an array show it.

    Parameters
    ----------
    recipe
        Name of a recipe, or its figures.
    reason
        Reason for it.
    """

    recipe: str | dict[str, Any]
    reason: str


def logarithm(log: str, low: float) -> dict[str, Any]:
    """Return the figures of a logarithm, with a floor that is not above the lowest value."""
    exponent = math.ceil(-low * math.log(LOGARITHM_BASES[log]) / math.log(10))
    return {"log": log} if exponent <= DEFAULT_EXPONENT else {"log": log, "floor": float(f"1e-{exponent}")}


def find_logarithm(notes: Notes, n_fft: int) -> Logarithm | None:
    """Return the recipe whose exact floor the values have; None if they have none.

    Parameters
    ----------
    notes
        Notes on the array.
    n_fft
        Length of the Fourier transform in samples.
    """
    stats = notes.statistics
    if stats.low_count < MIN_FLOOR_COUNT or stats.constant:
        return None
    return _named(notes, n_fft) or _by_floor(notes, n_fft)


def _named(notes: Notes, n_fft: int) -> Logarithm | None:
    """Return the known recipe of this n_fft whose lowest value the array has."""
    stats = notes.statistics
    catalogue = notes.catalogue(LinearRecipe)
    for name in matching(catalogue, [n_fft // 2 + 1], stats.low, stats.high):
        recipe = catalogue.find(name)
        limits = recipe.range
        clipped = recipe.log != "none" and math.isfinite(limits.low) and abs(stats.low - limits.low) <= 1e-5
        if clipped and (limits.low < 0 or stats.mean > MIN_LEVEL * stats.high):
            return Logarithm(name, f"{stats.low_count:,} values are exactly its floor of {limits.low:.6g}")
    return None


def _by_floor(notes: Notes, n_fft: int) -> Logarithm | None:
    """Return the logarithm of which the lowest value is that of a usual floor."""
    stats = notes.statistics
    for log, base in LOGARITHM_BASES.items():
        for exponent in _EXPONENTS:
            low = -exponent * math.log(10) / math.log(base)
            if abs(stats.low - low) > 1e-5 * (1 - low):
                continue
            recipe: dict[str, Any] = {"log": log, "floor": float(f"1e-{exponent}")}
            # The magnitudes of a sound within ±1 are below the sum of the window, which is below n_fft.
            if stats.high * math.log(base) > math.log(n_fft):
                recipe["exponent"] = 2
            what = f"{log} of 1e-{exponent}"
            return Logarithm(recipe, f"{stats.low_count:,} values are {stats.low:.6g}, the {what}: its floor")
    return None
