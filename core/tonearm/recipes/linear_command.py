"""``tonearm recipes``: the columns of the table of recipes of linear spectrograms."""

from __future__ import annotations

from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.listing import Listing, shown_logarithm, shown_range

ANY = "any"
"""Text for a figure that a recipe leaves open."""


def linear_figures(recipe: LinearRecipe) -> tuple[str, ...]:
    """Return the figures of a recipe for the columns of the table after the name."""
    numbers = (recipe.sample_rate, recipe.n_fft, recipe.hop_length, recipe.effective("win_length"))
    return (
        *(ANY if number is None else str(number) for number in numbers),
        f"{recipe.preemphasis:g}" if recipe.preemphasis else "none",
        f"{recipe.exponent:g}",
        shown_logarithm(recipe),
        shown_range(recipe),
    )


LISTING = Listing(
    LinearRecipe,
    ("name", "Hz", "n_fft", "hop", "win", "pre-emphasis", "exponent", "log", "values"),
    (0, 7, 8),
    linear_figures,
)
"""Listing of the recipes."""
