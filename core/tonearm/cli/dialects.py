"""``tonearm plugins npy-reader --dialects``: which recipes of mel spectrograms there are, with their figures."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from tonearm.cli import console
from tonearm.errors import OptionError, UsageError, one_line
from tonearm.plugins.registry import Registry
from tonearm.recipes.mel import Catalogue, MelDialect

HEAD = ("name", "Hz", "n_fft", "hop", "win", "mels", "from", "to Hz", "bands", "sums", "log", "values")


def main(registry: Registry, *, name: str | None = None, as_json: bool) -> int:
    """List all dialects, or spell out one."""
    before = len(registry.problems)
    catalogue = registry.dialects
    console.print_warnings(registry.problems[before:])
    if name:
        try:
            print(_spelled_out(catalogue, name, as_json=as_json))
        except OptionError as error:
            raise UsageError(error.message, code=error.code or "bad-dialect", hint=error.hint) from error
    elif as_json:
        print(json.dumps(list(_described(catalogue)), indent=2, ensure_ascii=False))
    else:
        print(_table(catalogue))
    return console.DONE


def _described(catalogue: Catalogue) -> Any:
    """Yield each dialect with all that it says."""
    for name in catalogue:
        offer = catalogue.entry(name)
        row: dict[str, Any] = {"name": name, "origin": offer.origin, "alias_of": offer.alias or None}
        try:
            dialect = catalogue.find(name)
            row |= {"figures": _all_figures(dialect), "refused": dialect.refusal}
        except OptionError as error:
            row["refused"] = error.message
        yield row


def _spelled_out(catalogue: Catalogue, name: str, *, as_json: bool) -> str:
    """Return all figures of one dialect, as YAML or JSON that can be given in its place."""
    dialect = catalogue.find(name)
    figures = {key: value for key, value in _all_figures(dialect).items() if value not in (None, "", [])}
    if as_json:
        return json.dumps(figures, indent=2, ensure_ascii=False)
    source, notes = (str(figures.pop(key, "")) for key in ("source", "notes"))
    lines = [f"# {line}" for text in (source, notes, dialect.refusal) if text for line in [one_line(text)]]
    lines += ["dialect:", *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in figures.items())]
    return "\n".join(lines)


def _all_figures(dialect: MelDialect) -> dict[str, Any]:
    return {key: _plain(getattr(dialect, key)) for key in dialect.__struct_fields__}


def _plain(value: object) -> object:
    plain: object = msgspec.to_builtins(value)
    return plain


def _table(catalogue: Catalogue) -> str:
    """Return the dialects in columns, then what cannot be used and why."""
    rows: list[tuple[str, ...]] = []
    aliases: dict[str, list[str]] = {}
    notes: list[str] = []
    for name in catalogue:
        offer = catalogue.entry(name)
        if offer.alias:
            aliases.setdefault(offer.alias, []).append(name)
            continue
        try:
            dialect = catalogue.find(name)
        except OptionError as error:
            notes.append(f"  {name}: {one_line(error.message)}")
            continue
        if dialect.refusal:
            notes.append(f"  {name}: {one_line(dialect.refusal)}")
        rows.append((name, *figures_of(dialect)))
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in (0, 8, 9, 10, 11) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [HEAD, *rows]
    ]
    if aliases:
        lines += ["", "other names", *(f"  {name}: {', '.join(same)}" for name, same in sorted(aliases.items()))]
    if notes:
        lines += ["", "not to be undone as they are", *notes]
    lines += ["", "tonearm plugins NAME --dialects spells one out"]
    return "\n".join(lines)


def figures_of(dialect: MelDialect) -> tuple[str, ...]:
    """Return the figures that tell dialects apart, one a column."""
    grid = dialect.grid
    numbers = (dialect.sample_rate, dialect.n_fft, dialect.hop_length, grid.win_length, dialect.n_mels)
    factor = f"{dialect.log_factor:g} " if dialect.log_factor != 1 else ""
    limits = dialect.range
    values = "standardised" if dialect.standardised else f"{_short(limits.low)} … {_short(limits.high)}"
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


def _short(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}"
