"""Doubts about a recipe: values within its range that show another one, by an exact floor or by standardisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from tonearm.errors import GiveOption, Remedy, SetOption
from tonearm.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tonearm.recipes.catalogue import Catalogue
    from tonearm.typing import Array

R = TypeVar("R", bound=Recipe)

LEAST_COUNT = 3
"""Least number of values at the lowest value that make it a floor."""

_MAX_NAMED = 3
"""Largest number of recipes that a message proposes."""

_STANDARDISED = 0.1
"""Largest distance of mean and deviation of standardised values from 0 and 1."""

MAX_STANDARDISED = 8.0
"""Largest standardised value that is plausible, in standard deviations."""


MIN_WHOLE_SPAN = 3.0
"""Span below which values may all be whole numbers by chance, such as those at two floors."""


SMALL = 0.01
"""Smallest of linear values, as a fraction of the largest: those of a sound span decades."""

MEAN_OF_LINEAR = 0.15
"""Mean of linear values, as a fraction of the largest; most of them are small."""


class Doubt(Struct, frozen=True):
    """A doubt about the recipe of values.

    Parameters
    ----------
    message
        What the values show instead.
    remedies
        Options that fit.
    """

    message: str
    remedies: tuple[Remedy, ...]


def exact_match(recipe: Recipe, low: float, high: float, low_count: int) -> str:
    """Return the reason why values are exactly of a recipe: they have its floor, or its span; empty if not.

    Parameters
    ----------
    recipe
        Recipe.
    low, high
        Smallest and largest value.
    low_count
        Number of values that are the smallest.
    """
    limits = recipe.range
    if low == high or low_count < LEAST_COUNT:
        return ""
    if is_floor(recipe, low):
        return f"{low_count:,} values are exactly its floor of {round(limits.low, 9):.6g}"
    if limits.span < 1e30 and abs(high - low - limits.span) <= 1e-4 * limits.span:
        return f"values span exactly {limits.span:.6g}, and {low_count:,} have the lowest value"
    return ""


def is_floor(recipe: Recipe, low: float) -> bool:
    """Return whether a value is the lowest that a recipe has."""
    floor = recipe.range.low
    return math.isfinite(floor) and abs(low - floor) <= 1e-5 * (1 + abs(floor))


def doubt_of(
    recipe: R, values: Array, low: float, high: float, catalogue: Callable[[type[Any]], Catalogue[Any]]
) -> Doubt | None:
    """Return the doubt that values show another recipe than theirs; None if there is none.

    Whole numbers are doubted, as logarithms are none. Values at the floor of their own recipe are beyond further doubt,
    and so is a lowest value that is no floor. Only for others are known recipes looked at.

    Parameters
    ----------
    recipe
        Recipe by which the values are read; values are within its range.
    values
        Values of shape (channels, rows, frames).
    low, high
        Smallest and largest finite value.
    catalogue
        Function that returns the catalogue of a class of named structs.
    """
    import numpy as np

    if recipe.standardised or low == high:
        return None
    if _are_rounded(recipe, values, low, high):
        return Doubt(f"all values are whole numbers, but those of {recipe.label} are not: they seem to be rounded", ())
    if _are_linear(recipe, values, low, high):
        message = f"no value is below 0, and most are small, but those of {recipe.label} are logarithms"
        changed = {"base": recipe.name, "log": "none"}
        is_bare = recipe.name and not recipe.steps and recipe.mean is None and recipe.log_factor == 1
        return Doubt(message, (SetOption(type(recipe).noun, changed, "if these are linear"),) if is_bare else ())
    if is_floor(recipe, low):
        return None
    count = int(np.count_nonzero(values == low))
    if count < LEAST_COUNT:
        return _standardised(recipe, values, low, high)
    if exact_match(recipe, low, high, count):
        return None
    cls = type(recipe)
    others = [
        (other.effective("sample_rate") != recipe.effective("sample_rate"), name, other)
        for name, other in catalogue(cls).usable()
        if other.row_count == recipe.row_count and not other.standardised and not other.contradiction(low, high)
        if exact_match(other, low, high, count)
    ]
    if not others:
        return _standardised(recipe, values, low, high)
    changes_rate = all(differs for differs, _, _ in others)
    named = [(name, other) for differs, name, other in others if differs == changes_rate]
    name, first = named[0]
    reason = f"{exact_match(first, low, high, count)}, as in {name}"
    if is_floor(first, low):
        reason = f"{count:,} values are exactly {round(first.range.low, 9):g}, the floor of {name}"
    remedies = tuple(
        SetOption(
            cls.noun, name, f"at {other.effective('sample_rate')} Hz" if changes_rate else _other_grid(recipe, other)
        )
        for name, other in named[:_MAX_NAMED]
    )
    message = f"{reason}, but the floor of {recipe.label} is {recipe.range.low:.6g}"
    return Doubt(message, remedies)


def _are_rounded(recipe: Recipe, values: Array, low: float, high: float) -> bool:
    """Return whether all values are whole numbers, and no step of a recipe rounds them."""
    import numpy as np

    if recipe.log == "none" or high - low < MIN_WHOLE_SPAN or any(step.op == "round" for step in recipe.steps):
        return False
    middle = values[..., values.shape[-1] // 2]
    if not (middle == np.rint(middle)).all():
        return False
    return bool((values == np.rint(values)).all())


def _are_linear(recipe: Recipe, values: Array, low: float, high: float) -> bool:
    """Return whether values seem to be linear, while the recipe has logarithms, which are below 0 for quiet sound."""
    if recipe.log == "none" or not recipe.range.low < 0 <= low < SMALL * high:
        return False
    return float(values.mean(dtype="f8")) < MEAN_OF_LINEAR * high


def _other_grid(recipe: Recipe, other: Recipe) -> str:
    """Return the figures of the grid in which another recipe differs: the tempo of the sound depends on them."""
    pairs = ((name, other.effective(name), recipe.effective(name)) for name in ("n_fft", "hop_length"))
    changes = [f"{name} {theirs} for {mine}" for name, theirs, mine in pairs if theirs != mine]
    return f"with {', '.join(changes)}" if changes else ""


def _standardised(recipe: Recipe, values: Array, low: float, high: float) -> Doubt | None:
    """Return the doubt that values are standardised, if their mean is 0, and their deviation 1."""
    import numpy as np

    far_from_floor = low > recipe.range.low + 2 * recipe.range.unit
    if not (far_from_floor and low < 0 < high and max(-low, high) <= MAX_STANDARDISED):
        return None
    mean = round(float(values.mean(dtype=np.float64)), 2) + 0.0  # not -0.00
    if abs(mean) > _STANDARDISED:
        return None
    deviation = float(values.std(dtype=np.float64))
    if abs(deviation - 1) > _STANDARDISED:
        return None
    noun = type(recipe).noun
    message = f"values with a mean of {mean:.2f} and a deviation of {deviation:.2f} seem to be standardised"
    meaning = f"{{base: {recipe.label}, mean: …, std: …}} with the statistics of the model"
    return Doubt(f"{message}, but those of {recipe.label} are not", (GiveOption(noun, meaning),))
