"""Recipes of linear spectrograms that tonearm ships, each with its source, in a TOML file beside this module."""

from __future__ import annotations

from tonearm.api import Recipes
from tonearm_plugins.recipes.toml import figures_by_name


def linear_recipes() -> Recipes:
    """Return all recipes by name."""
    return figures_by_name(__name__, ("linear",))
