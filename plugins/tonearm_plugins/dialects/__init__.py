"""Dialects that tonearm ships: recipes of model families, each with its source, in TOML files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from tonearm.api import Dialects

FILES = ("features", "music", "speech", "vocoders")
"""Names of the files, without their suffix."""


def presets() -> Dialects:
    """Return all recipes by name; an alias is a recipe with nothing but a base."""
    return {name: recipe for file in FILES for name, recipe in _recipes(file)}


def _recipes(file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the recipes of one file, each after its aliases."""
    text = resources.files(__name__).joinpath(f"{file}.toml").read_text("utf-8")
    for name, recipe in tomllib.loads(text).items():
        for alias in recipe.pop("aliases", ()):
            yield alias, {"base": name}
        yield name, recipe
