"""Variants of a known recipe: changes of a few figures with which values that contradict it are within its range."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from tonearm.errors import OptionError

if TYPE_CHECKING:
    from tonearm.recipes.recipe import Recipe

R = TypeVar("R", bound="Recipe")
Changes: TypeAlias = dict[str, Any]

MOST = 3
"""Largest number of variants that an error names."""

_SAMPLE_SCALE = 2**15
"""Full scale of samples that a model may have been given as they were."""

_REACHED = 0.1
"""Largest distance from the reference, in units of 6 dB, of the maximum of values that are relative to it."""

_ADDED = 0.1
"""Largest distance of the smallest value above a floor, in decades; values that have one added come so near."""

_LEAST_DECADES = -20.0
"""Decimal logarithm of the least linear value that may be a floor."""

_EXACT = 1e-4
"""Largest distance of the smallest value from a floor that it is equal to, in decades."""

_OF_POWERS = 2e-8
"""Floor from which values may be logarithms of powers; those of magnitudes rarely have so low a floor."""

DECIBEL_SPAN = 40.0
"""Span from which values may be decibels, whatever their floor is: that of a sound is at least 40 dB."""

MAX_QUIET_DB = 100.0
"""Largest distance of the largest value from that of a sound at full scale, in dB: that of speech is about 50 dB."""

MIN_RANGE_DB = 36.0
"""Smallest range of linear values, in dB, from the smallest that is not 0 to the largest."""


class Variant(NamedTuple):
    """A change of figures.

    Parameters
    ----------
    changes
        Figures that change.
    condition
        Condition under which the change is right, without ``if``.
    """

    changes: Changes
    condition: str


_UNCHANGED = Variant({}, "")


def variants_of(given: R, low: float, high: float, *, floors: bool = True) -> list[tuple[Changes, R, str]]:
    """Return the variants of a named recipe that values may be in: the changes, the recipe, and the condition.

    Models that are alike differ in the reference, the limit below the largest value, the scale of the samples, and in
    the logarithm and its floor. A variant has as few of these changes as possible.

    Parameters
    ----------
    given
        Recipe that the values contradict.
    low, high
        Smallest and largest value.
    floors
        Whether other logarithms and floors count, because no known recipe on the same grid has the values.
    """
    if not given.name or given.standardised:
        return []
    groups = (
        [_UNCHANGED, *_references(given)],
        [_UNCHANGED, *_without_limit(given)],
        [_UNCHANGED, *_scales(given, high)],
        [_UNCHANGED, *(_logarithms(given, low, high) if floors else ())],
    )
    found: list[tuple[set[str], Changes, R]] = []
    combined = [[one for one in group if one.changes] for group in itertools.product(*groups)]
    for variants in sorted(combined, key=len):
        conditions = {one.condition for one in variants}
        if any(known <= conditions for known, _, _ in found):
            continue
        changes = {name: value for one in variants for name, value in one.changes.items()}
        try:
            recipe = given.replace(**changes)
        except OptionError:  # the changes contradict each other, or another figure
            continue
        if not recipe.contradiction(low, high) and has_plausible_level(recipe, low, high) and _reaches(recipe, high):
            found.append((conditions, changes, recipe))
    return [
        ({"base": given.name, **msgspec.to_builtins(changes)}, recipe, f"if {' and '.join(sorted(conditions))}")
        for conditions, changes, recipe in found[:MOST]
    ]


def has_plausible_level(recipe: Recipe, low: float, high: float) -> bool:
    """Return whether the level of values within the range of a recipe can be that of a sound.

    Parameters
    ----------
    recipe
        Recipe.
    low, high
        Smallest and largest value.
    """
    limits = recipe.range
    if recipe.log == "none" and not recipe.steps:
        return low <= 0 or low == high or 20 * math.log10(high / low) / recipe.exponent >= MIN_RANGE_DB
    if not limits.unit or not math.isfinite(limits.high):
        return True
    return (limits.high - high) / limits.unit * 20 * math.log10(2) <= MAX_QUIET_DB


def _references(given: Recipe) -> Iterator[Variant]:
    """Yield the other usual reference, 1 or the maximum."""
    if given.log != "none":
        reference = 1.0 if given.reference == "max" else "max"
        yield Variant({"reference": reference}, f"{'max' if reference == 'max' else 1} is its reference")


def _without_limit(given: Recipe) -> Iterator[Variant]:
    """Yield the steps without a limit below the largest value."""
    kept = tuple(step for step in given.steps if step.op != "below-max")
    if len(kept) < len(given.steps):
        yield Variant({"steps": kept}, "there was no top_db")


def _scales(given: Recipe, high: float) -> Iterator[Variant]:
    """Yield the scale of 16-bit samples, if a value is too large for samples within ±1, or relative to them all."""
    if given.input_scale == 1 and (high > given.range.high or given.reference == "max"):
        yield Variant({"input_scale": _SAMPLE_SCALE}, "its samples were 16-bit integers")


def _logarithms(given: Recipe, low: float, high: float) -> Iterator[Variant]:
    """Yield other logarithms with an exact floor, other floors of the same one, or none if no value is negative."""
    if given.log == "none" or given.steps or given.reference == "max":
        return
    if low >= 0:
        for exponent, condition in ((1, "these are linear magnitudes"), (2, "these are linear powers")):
            changed = {} if exponent == given.exponent else {"exponent": exponent}
            yield Variant({"log": "none", **changed}, condition)
        return
    for figures, condition in _OTHERS:
        changes = {name: value for name, value in figures.items() if getattr(given, name) != value}
        decades = _decades(given.replace(**changes), low)
        exact = abs(decades - round(decades)) <= _EXACT and -10 <= round(decades) <= -2
        if (
            not changes
            or decades < _LEAST_DECADES
            or not (exact or (figures["log_factor"] != 1 and high - low >= DECIBEL_SPAN))
        ):
            continue
        floor = 10.0 ** (round(decades) if exact else math.floor(decades + _ADDED))
        kept = floor == given.floor or (not exact and floor >= given.floor)
        yield Variant(changes if kept or not floor else changes | {"floor": floor}, condition)
    if low < given.range.low:
        yield from _floors(given, low)


_OTHERS: tuple[tuple[Changes, str], ...] = (
    ({"log": "ln", "log_factor": 1.0, "exponent": 1}, "these are natural logarithms"),
    ({"log": "log10", "log_factor": 1.0, "exponent": 1}, "these are logarithms to base 10"),
    ({"log": "log10", "log_factor": 20.0, "exponent": 1}, "these are decibels of magnitudes"),
    ({"log": "log10", "log_factor": 10.0, "exponent": 2}, "these are decibels of powers"),
)


def _floors(given: Recipe, low: float) -> Iterator[Variant]:
    """Yield the power of ten that is the floor of values below those of a recipe, of magnitudes and of powers."""
    decades = _decades(given, low)
    if not _LEAST_DECADES <= decades < 0:
        return
    floor = 10.0 ** math.floor(decades + _ADDED)
    found = [Variant({"floor": floor}, "that is its floor")]
    if given.exponent == 1 and floor <= _OF_POWERS:
        found.append(Variant({"exponent": 2, "floor": floor}, "these are logarithms of powers"))
    yield from found  # the first one goes beyond full scale if it is wrong, but the second one passes for a sound


def _decades(recipe: Recipe, low: float) -> float:
    """Return the decimal logarithm of the linear value that a value of a recipe stands for."""
    reference = 1.0 if recipe.reference == "max" else recipe.reference
    return (low - recipe.offset) / recipe.log_factor * math.log10(recipe.log_base) + math.log10(reference)


def _reaches(recipe: Recipe, high: float) -> bool:
    """Return whether a value is the largest one, if a recipe is relative to the maximum."""
    limits = recipe.range
    return recipe.reference != "max" or abs(high - limits.high) <= _REACHED * limits.unit
