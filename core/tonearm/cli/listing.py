"""Lists of what packages hand over by name, and the figures of one, as ``tonearm dialects`` and its like print them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from tonearm.cli import console, styles
from tonearm.cli.printing import align_columns
from tonearm.cli.wrapping import stack_cells, wrap
from tonearm.errors import OptionError, UsageError, one_line
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Catalogue, Named
from tonearm.recipes.listing import Listing

if TYPE_CHECKING:
    import argparse

LISTINGS: Mapping[str, str] = {
    "dialects": "tonearm.recipes.mel.command",
    "recipes": "tonearm.recipes.linear_command",
    "layouts": "tonearm.recipes.tokens.command",
}
"""Commands that list named structs, each with the module of its listing."""


def add_listing_arguments(parser: argparse.ArgumentParser, noun: str) -> None:
    """Declare the arguments of a command that lists named structs."""
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"{noun.capitalize()} to show with all its figures")
    parser.add_argument("--json", action="store_true", help="Print JSON")


def find_listing(command: str) -> Listing:
    """Return the listing of one of `LISTINGS`."""
    found: Listing = importlib.import_module(LISTINGS[command]).LISTING
    return found


def print_listing(listing: Listing, registry: Registry, *, name: str | None = None, as_json: bool) -> int:
    """List all structs of a class, or print one with all its figures."""
    catalogue = registry.catalogue(listing.cls)
    if name:
        try:
            console.print_data(_page(listing, catalogue, name, as_json=as_json))
        except OptionError as error:
            raise UsageError(error.message, code=error.code, remedies=error.remedies) from error
    elif as_json:
        console.print_data(json.dumps(list(_rows(catalogue)), indent=2, ensure_ascii=False))
    else:
        console.print_data(_table(listing, catalogue))
    return console.DONE


def _rows(catalogue: Catalogue[Named]) -> Iterator[dict[str, Any]]:
    """Yield each struct with all its figures, for JSON."""
    for name in catalogue:
        entry = catalogue.entry(name)
        row: dict[str, Any] = {"name": name, "origin": entry.origin, "alias_of": entry.alias or None}
        try:
            found = catalogue.find(name)
            row |= {"figures": _figures(found), "refused": found.refusal or None}
        except OptionError as error:
            row["refused"] = error.message
        yield row


def _page(listing: Listing, catalogue: Catalogue[Named], name: str, *, as_json: bool) -> str:
    """Return all figures of one struct, as YAML or JSON that a pipeline accepts in place of the name."""
    found = catalogue.find(name)
    given = found.figure_names() if listing.shows_defaults else msgspec.to_builtins(found)
    figures = {key: value for key, value in _figures(found).items() if key in given and value not in (None, "", [])}
    if as_json:
        return json.dumps(figures, indent=2, ensure_ascii=False)
    source, notes = (str(figures.pop(key, "")) for key in ("source", "notes"))
    refusal = found.refusal if found.refusal not in figures.values() else ""
    width = styles.terminal_width(console.data())
    lines = [line for text in (source, notes, refusal) if text for line in wrap(one_line(text), width, "# ")]
    lines.append(f"{found.noun}:")
    for key, value in figures.items():  # texts, lists and mappings may go on in another line
        lines += wrap(f"{key}: {json.dumps(value, ensure_ascii=False)}", width, "  ", "    ")
    return "\n".join(lines)


def _figures(found: Named) -> dict[str, Any]:
    """Return all fields of a struct as plain values."""
    return {key: msgspec.to_builtins(getattr(found, key)) for key in found.figure_names()}


def _table(listing: Listing, catalogue: Catalogue[Named]) -> str:
    """Return the structs in columns, then their other names, and those that are refused or broken."""
    rows: list[tuple[str, ...]] = [listing.head]
    aliases: dict[str, list[str]] = {}
    refusals: list[str] = []
    broken: list[str] = []
    for name in catalogue:
        entry = catalogue.entry(name)
        try:
            found = catalogue.find(name)
        except OptionError as error:
            is_broken = error.code != f"refused-{listing.cls.noun}"
            if is_broken or not entry.alias:
                (broken if is_broken else refusals).append(f"{name}: {one_line(error.message)}")
                continue
        if entry.alias:
            aliases.setdefault(entry.alias, []).append(name)
            continue
        if found.refusal:
            refusals.append(f"{name}: {one_line(found.refusal)}")
        rows.append((name, *listing.row(found)))
    width = styles.terminal_width(console.data())
    lines = align_columns(rows, listing.left)
    if width is not None and max(map(len, lines)) > width:
        lines = stack_cells(rows, width)
    same_names = [f"{name}: {', '.join(same)}" for name, same in sorted(aliases.items())]
    blocks = {"other names": same_names, listing.refusals: refusals, "broken": broken}
    for head, texts in blocks.items():
        lines += ["", head, *(line for text in texts for line in wrap(text, width, "  ", "    "))] if texts else []
    noun = listing.cls.noun
    lines += ["", *wrap(f"tonearm {noun}s NAME shows all figures of one {noun}", width)]
    return "\n".join(lines)
