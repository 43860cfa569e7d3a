"""The columns of listings of what packages hand over by name: one listing for each class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from tonearm.recipes.catalogue import Named
from tonearm.recipes.recipe import Recipe


class Listing(Struct, frozen=True):
    """The listing of a class of named structs.

    Parameters
    ----------
    cls
        Class of the structs.
    head
        Heads of the columns: the name, and what ``row`` returns.
    left
        Columns that are aligned to the left.
    row
        Function that returns the figures of a struct for the columns after the name.
    refusals
        Head of the list of those that have a `refusal`.
    shows_defaults
        Whether the page of one shows the figures that have their default as well.
    """

    cls: type[Named]
    head: tuple[str, ...]
    left: tuple[int, ...]
    row: Callable[[Any], tuple[str, ...]]
    refusals: str = "cannot be inverted as they are"
    shows_defaults: bool = True


def shown_logarithm(recipe: Recipe) -> str:
    """Return the logarithm of a recipe with its factor, such as ``20 log10``."""
    if recipe.log == "none":
        return "none"
    name = recipe.log if isinstance(recipe.log, str) else f"log{recipe.log:g}"
    return name if recipe.log_factor == 1 else f"{recipe.log_factor:g} {name}"


def shown_range(recipe: Recipe) -> str:
    """Return the range of the values of a recipe, such as ``-80 … 0``."""
    if recipe.standardised:
        return "standardised"
    limits = recipe.range
    span = "" if limits.span == math.inf or limits.reached else f", span {limits.span:g}"
    return f"{_rounded(limits.low)} … {_rounded(limits.high)}{span}"


def _rounded(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}" if math.isfinite(value) else f"{value:g}"
