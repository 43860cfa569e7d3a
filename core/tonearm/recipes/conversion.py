"""Conversion of spectrograms between linear values and the values of a recipe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tonearm.errors import ItemError
from tonearm.recipes.steps import SUBTRACT_MAX

if TYPE_CHECKING:
    from tonearm.recipes.recipe import Recipe
    from tonearm.typing import Array

EPSILON = 1e-5
"""Constant added to the standard deviation of an utterance, as in NeMo."""


def from_energy(recipe: Recipe, energy: Array) -> Any:
    """Return linear values (channels, rows, frames) as values of a recipe, float64.

    Parameters
    ----------
    recipe
        Recipe of the values.
    energy
        Magnitudes of scaled samples to the power of the recipe's exponent, or sums of them.
    """
    import numpy as np

    values = energy
    if recipe.log != "none":
        if recipe.floor_mode == "add":
            values = values + recipe.floor
        elif recipe.floor_mode == "clamp":
            values = np.maximum(values, recipe.floor)
        else:
            values = np.where(values > 0, values, recipe.floor)
        if recipe.reference != "max" and recipe.reference != 1:
            values = values / recipe.reference
        if isinstance(recipe.log, str):
            logarithms = {"ln": np.log, "log10": np.log10, "log2": np.log2}[recipe.log](values)
        else:
            logarithms = np.log(values) / math.log(recipe.log)
        values = logarithms * recipe.log_factor
        if recipe.reference == "max":
            values = SUBTRACT_MAX.apply(values)
        if recipe.offset:
            values = values + recipe.offset
    for step in recipe.steps:
        values = step.apply(values)
    if recipe.standardised:
        mean, std = _statistics(recipe, values)
        values = (values - mean) / std
    return values


def to_energy(recipe: Recipe, native: Array, *, positive: bool = False) -> Any:
    """Return values of a recipe (channels, rows, frames) as linear values, ≥ 0.

    Parameters
    ----------
    recipe
        Recipe of the values.
    native
        Values, float32 or float64. The result has the same type.
    positive
        Whether no value is negative.
    """
    import numpy as np

    if recipe.refusal:
        raise ItemError(recipe.refusal, code="not-invertible", hint=statistics_hint(recipe))
    values: Any = native
    if recipe.mean is not None:
        mean, std = _statistics(recipe, values)
        values = values * std.astype(values.dtype) + mean.astype(values.dtype)
    for step in reversed(recipe.steps):
        values = step.invert(values)
    if recipe.log != "none":
        if recipe.offset:
            values = values - recipe.offset
        with np.errstate(over="ignore", under="ignore"):
            values = np.power(recipe.log_base, values / recipe.log_factor)
            if recipe.reference != "max" and recipe.reference != 1:
                values = values * recipe.reference
        if recipe.floor_mode == "add":
            values = values - recipe.floor
    if recipe.log != "none" and recipe.floor_mode != "add":
        return values  # a power is not negative
    return values if positive and not recipe.steps and recipe.log == "none" else np.maximum(values, 0.0)


def require_finite(recipe: Recipe, values: Array, native: Array, *, keep: bool = False) -> None:
    """Raise `ItemError` if linear values are NaN, or too great for float32, which shows that the recipe is a wrong one.

    Parameters
    ----------
    recipe
        Recipe of the values.
    values, native
        Linear values, and the values of the recipe.
    keep
        Whether NaN and infinity may stay what they are.
    """
    import numpy as np

    wrong = not np.isfinite(values).all() or values.max() > np.finfo(np.float32).max
    if wrong and keep:
        finite = np.isfinite(native)
        wrong = not np.isfinite(values[finite]).all()
    if wrong:
        finite = np.isfinite(native)
        if keep or finite.all():
            peak = float(np.max(native, initial=-np.inf, where=finite))
            message = f"values up to {peak:.6g} are too great for the {recipe.noun} {recipe.label}"
            hint = f"check the {recipe.noun}"
        else:
            bad = finite.size - np.count_nonzero(finite)
            message = f"{bad} of {finite.size} values in the {recipe.noun} {recipe.label} are NaN or infinite"
            hint = "check what computed them"
        raise ItemError(message, code=f"{recipe.noun}-mismatch", hint=hint)


def statistics_hint(recipe: Recipe) -> str:
    """Return the hint for missing statistics."""
    return f"{recipe.noun}: {{base: {recipe.name or 'NAME'}, mean: […], std: […]}}, one number a band, or one for all"


def _statistics(recipe: Recipe, values: Array) -> tuple[Any, Any]:
    """Return mean and standard deviation as (rows, 1), from the recipe or from the utterance itself."""
    import numpy as np

    if recipe.mean is not None and recipe.std is not None:
        mean, std = (np.atleast_1d(np.asarray(given, np.float64))[:, None] for given in (recipe.mean, recipe.std))
        return mean, std
    if recipe.statistics == "stored":
        raise ItemError(str(recipe.refusal), code="no-statistics", hint=statistics_hint(recipe))
    valid = recipe.measured(values)
    return valid.mean(axis=-1, keepdims=True), valid.std(axis=-1, keepdims=True, ddof=1) + EPSILON
