"""``tonearm plugins --dialects``: list the dialects of mel spectrograms, or print the figures of one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec

from tonearm.cli import console
from tonearm.cli.printing import align_columns
from tonearm.errors import OptionError, UsageError, one_line
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.mel import MelDialect

HEAD = ("name", "Hz", "n_fft", "hop", "win", "mels", "from", "to Hz", "bands", "sums", "log", "values")
"""Heads of the columns: the name, and what `table_figures` returns."""

_LEFT = (0, 8, 9, 10, 11)


def main(registry: Registry, *, name: str | None = None, as_json: bool) -> int:
    """List all dialects, or print one with all its figures."""
    before = len(registry.problems)
    catalogue = registry.catalogue(MelDialect)
    console.print_warnings(registry.problems[before:])
    if name:
        try:
            print(_page(catalogue, name, as_json=as_json))
        except OptionError as error:
            raise UsageError(error.message, code=error.code or "bad-dialect", remedies=error.remedies) from error
    elif as_json:
        print(json.dumps(list(_rows(catalogue)), indent=2, ensure_ascii=False))
    else:
        print(_table(catalogue))
    return console.DONE


def _rows(catalogue: Catalogue[MelDialect]) -> Iterator[dict[str, Any]]:
    """Yield each dialect with all its figures, for JSON."""
    for name in catalogue:
        entry = catalogue.entry(name)
        row: dict[str, Any] = {"name": name, "origin": entry.origin, "alias_of": entry.alias or None}
        try:
            dialect = catalogue.find(name)
            row |= {"figures": _figures(dialect), "refused": dialect.refusal}
        except OptionError as error:
            row["refused"] = error.message
        yield row


def _page(catalogue: Catalogue[MelDialect], name: str, *, as_json: bool) -> str:
    """Return all figures of one dialect, as YAML or JSON that a pipeline accepts in place of the name."""
    dialect = catalogue.find(name)
    figures = {key: value for key, value in _figures(dialect).items() if value not in (None, "", [])}
    if as_json:
        return json.dumps(figures, indent=2, ensure_ascii=False)
    source, notes = (str(figures.pop(key, "")) for key in ("source", "notes"))
    lines = [f"# {line}" for text in (source, notes, dialect.refusal) if text for line in [one_line(text)]]
    lines += ["dialect:", *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in figures.items())]
    return "\n".join(lines)


def _figures(dialect: MelDialect) -> dict[str, Any]:
    """Return all fields of a dialect as plain values."""
    return {key: msgspec.to_builtins(getattr(dialect, key)) for key in dialect.figure_names()}


def _table(catalogue: Catalogue[MelDialect]) -> str:
    """Return the dialects in columns, then their other names, and the dialects that cannot be inverted."""
    rows: list[tuple[str, ...]] = [HEAD]
    aliases: dict[str, list[str]] = {}
    refusals: list[str] = []
    for name in catalogue:
        entry = catalogue.entry(name)
        if entry.alias:
            aliases.setdefault(entry.alias, []).append(name)
            continue
        try:
            dialect = catalogue.find(name)
        except OptionError as error:
            refusals.append(f"  {name}: {one_line(error.message)}")
            continue
        if dialect.refusal:
            refusals.append(f"  {name}: {one_line(dialect.refusal)}")
        rows.append((name, *table_figures(dialect)))
    lines = align_columns(rows, _LEFT)
    if aliases:
        lines += ["", "other names", *(f"  {name}: {', '.join(same)}" for name, same in sorted(aliases.items()))]
    if refusals:
        lines += ["", "cannot be inverted as they are", *refusals]
    lines += ["", "tonearm plugins NAME --dialects shows all figures of one dialect"]
    return "\n".join(lines)


def table_figures(dialect: MelDialect) -> tuple[str, ...]:
    """Return the figures of a dialect for the columns of the table after the name."""
    grid = dialect.grid
    numbers = (dialect.sample_rate, dialect.n_fft, dialect.hop_length, grid.win_length, dialect.n_mels)
    factor = f"{dialect.log_factor:g} " if dialect.log_factor != 1 else ""
    limits = dialect.range
    values = "standardised" if dialect.standardised else f"{_rounded(limits.low)} … {_rounded(limits.high)}"
    span = "" if dialect.standardised or limits.span == math.inf or limits.reached else f", span {limits.span:g}"
    return (
        *map(str, numbers),
        f"{dialect.fmin:g}",
        f"{dialect.top:g}",
        dialect.mel_scale
        + ("" if dialect.mel_norm == "slaney" else ", peak 1")
        + (f", as at {dialect.filterbank_sample_rate} Hz" if dialect.filterbank_sample_rate else ""),
        "magnitudes" if dialect.exponent == 1 else "powers",
        "none" if dialect.log == "none" else f"{factor}{dialect.log}",
        values + span,
    )


def _rounded(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}"
