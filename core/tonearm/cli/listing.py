"""``tonearm plugins --dialects`` and ``--recipes``: list the recipes of packages, or print the figures of one."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tonearm.cli import console
from tonearm.cli.printing import align_columns
from tonearm.errors import OptionError, UsageError, one_line
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.listing import Listing
from tonearm.recipes.recipe import Recipe

LISTINGS: Mapping[str, tuple[str, str]] = {
    "dialects": ("tonearm.recipes.mel.command", "List the dialects of mel spectrograms, or show all figures of one"),
    "recipes": (
        "tonearm.recipes.linear_command",
        "List the recipes of linear spectrograms, or show all figures of one",
    ),
}
"""Arguments that list recipes, each with the module of the listing, and its help."""


def find_listing(argument: str) -> Listing:
    """Return the listing of one of `LISTINGS`."""
    found: Listing = importlib.import_module(LISTINGS[argument][0]).LISTING
    return found


def print_listing(listing: Listing, registry: Registry, *, name: str | None = None, as_json: bool) -> int:
    """List all recipes, or print one with all its figures."""
    catalogue = registry.catalogue(listing.cls)
    if name:
        try:
            console.print_data(_page(catalogue, name, as_json=as_json))
        except OptionError as error:
            raise UsageError(error.message, code=error.code, remedies=error.remedies) from error
    elif as_json:
        console.print_data(json.dumps(list(_rows(catalogue)), indent=2, ensure_ascii=False))
    else:
        console.print_data(_table(listing, catalogue))
    return console.DONE


def _rows(catalogue: Catalogue[Recipe]) -> Iterator[dict[str, Any]]:
    """Yield each recipe with all its figures, for JSON."""
    for name in catalogue:
        entry = catalogue.entry(name)
        row: dict[str, Any] = {"name": name, "origin": entry.origin, "alias_of": entry.alias or None}
        try:
            recipe = catalogue.find(name)
            row |= {"figures": _figures(recipe), "refused": recipe.refusal}
        except OptionError as error:
            row["refused"] = error.message
        yield row


def _page(catalogue: Catalogue[Recipe], name: str, *, as_json: bool) -> str:
    """Return all figures of one recipe, as YAML or JSON that a pipeline accepts in place of the name."""
    recipe = catalogue.find(name)
    figures = {key: value for key, value in _figures(recipe).items() if value not in (None, "", [])}
    if as_json:
        return json.dumps(figures, indent=2, ensure_ascii=False)
    source, notes = (str(figures.pop(key, "")) for key in ("source", "notes"))
    lines = [f"# {line}" for text in (source, notes, recipe.refusal) if text for line in [one_line(text)]]
    lines += [
        f"{recipe.noun}:",
        *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in figures.items()),
    ]
    return "\n".join(lines)


def _figures(recipe: Recipe) -> dict[str, Any]:
    """Return all fields of a recipe as plain values."""
    return {key: msgspec.to_builtins(getattr(recipe, key)) for key in recipe.figure_names()}


def _table(listing: Listing, catalogue: Catalogue[Recipe]) -> str:
    """Return the recipes in columns, then their other names, and the recipes that cannot be inverted or are broken."""
    rows: list[tuple[str, ...]] = [listing.head]
    aliases: dict[str, list[str]] = {}
    refusals: list[str] = []
    broken: list[str] = []
    for name in catalogue:
        entry = catalogue.entry(name)
        try:
            recipe = catalogue.find(name)
        except OptionError as error:
            is_broken = error.code != f"refused-{listing.cls.noun}"
            if is_broken or not entry.alias:
                (broken if is_broken else refusals).append(f"  {name}: {one_line(error.message)}")
                continue
        if entry.alias:
            aliases.setdefault(entry.alias, []).append(name)
            continue
        if recipe.refusal:
            refusals.append(f"  {name}: {one_line(recipe.refusal)}")
        rows.append((name, *listing.row(recipe)))
    lines = align_columns(rows, listing.left)
    if aliases:
        lines += ["", "other names", *(f"  {name}: {', '.join(same)}" for name, same in sorted(aliases.items()))]
    if refusals:
        lines += ["", "cannot be inverted as they are", *refusals]
    if broken:
        lines += ["", "broken", *broken]
    lines += ["", f"tonearm plugins NAME --{listing.cls.noun}s shows all figures of one {listing.cls.noun}"]
    return "\n".join(lines)
