"""Layouts of codec tokens that tonearm ships, each with its source, in TOML files beside this module."""

from __future__ import annotations

from tonearm.api import Layouts
from tonearm_plugins.recipes.toml import figures_by_name

FILES = ("language_models", "codecs")
"""Names of the files, without their suffix."""


def layouts() -> Layouts:
    """Return all layouts by name; an alias is a layout with nothing but a base."""
    return figures_by_name(__name__, FILES)
