"""Figures of recipes in TOML files, one table for each recipe."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any


def figures_by_name(package: str, files: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return the figures of all recipes by name; an alias is a recipe with nothing but a base.

    Parameters
    ----------
    package
        Package that contains the files.
    files
        Names of the files, without their suffix.
    """
    return {name: figures for file in files for name, figures in _figures(package, file)}


def _figures(package: str, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the recipes of one file, each after its aliases."""
    text = resources.files(package).joinpath(f"{file}.toml").read_text("utf-8")
    for name, figures in tomllib.loads(text).items():
        for alias in figures.pop("aliases", ()):
            yield alias, {"base": name}
        yield name, figures
