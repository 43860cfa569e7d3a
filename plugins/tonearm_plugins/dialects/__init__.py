"""Dialects that tonearm ships: recipes of model families, each with its source, in TOML files beside this module."""

from __future__ import annotations

from tonearm.api import Dialects
from tonearm_plugins.recipes.toml import figures_by_name

FILES = ("features", "music", "speech", "vocoders")
"""Names of the files, without their suffix."""


def presets() -> Dialects:
    """Return all recipes by name; an alias is a recipe with nothing but a base."""
    return figures_by_name(__name__, FILES)
