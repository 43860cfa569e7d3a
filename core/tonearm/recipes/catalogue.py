"""The catalogue of dialects that packages register; a dialect is built and checked on first use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from tonearm.errors import OptionError, did_you_mean, one_line
from tonearm.names import BROKEN_HINT, preferred
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.steps import MelStep

Recipe: TypeAlias = MelDialect | Mapping[str, Any]
"""A dialect, or its figures by name as in YAML.

``base`` names another dialect that gives the missing figures; ``refused`` is the reason why a dialect cannot be used.
"""

LISTING_HINT = "tonearm plugins npy-reader --dialects lists all"
MAX_BASES = 8
REFUSED = "refused-dialect"


class CatalogueEntry(Struct, frozen=True):
    """A recipe with its name and the package that registers it.

    Parameters
    ----------
    origin
        Name of the package's entry point.
    name
        Name of the dialect.
    recipe
        Recipe of the dialect.
    """

    origin: str
    name: str
    recipe: Recipe

    @property
    def alias(self) -> str:
        """Name of the dialect that this entry is an alias of; empty if it is not an alias."""
        recipe = self.recipe
        return str(recipe["base"]) if isinstance(recipe, Mapping) and set(recipe) == {"base"} else ""


class Catalogue:
    """All dialects by name.

    Parameters
    ----------
    entries
        Recipes of all packages. As with plugins, built-in names win, and two others that clash are told apart as
        ``origin/name``.
    problems
        Messages about recipes that are disabled; they explain why a name may be missing.
    """

    def __init__(self, entries: Iterable[CatalogueEntry] = (), problems: Iterable[str] = ()) -> None:
        self._problems = tuple(problems)
        self._entries: dict[str, list[CatalogueEntry]] = {}
        self._dialects: dict[str, MelDialect] = {}
        for entry in entries:
            self._entries.setdefault(entry.name, []).append(entry)

    def __iter__(self) -> Iterator[str]:
        """Yield the shortest name of each dialect, sorted."""
        for name, candidates in sorted(self._entries.items()):
            yield from [name] if preferred(candidates) else [f"{entry.origin}/{name}" for entry in candidates]

    def entry(self, name: str) -> CatalogueEntry:
        """Return the entry with a name, bare or as ``origin/name``. Underscores in the name match hyphens.

        Raises
        ------
        OptionError
            If there is no such dialect, or the bare name is ambiguous.
        """
        origin, _, bare = name.rpartition("/")
        candidates = self._entries.get(bare) or self._entries.get(bare.replace("_", "-"), [])
        if origin:
            candidates = [entry for entry in candidates if entry.origin == origin]
        if found := preferred(candidates):
            return found
        if candidates:
            names = " or ".join(f"{entry.origin}/{entry.name}" for entry in candidates)
            raise OptionError(f"two packages offer the dialect {name}", code="ambiguous-dialect", hint=f"write {names}")
        near = did_you_mean(name, self) or LISTING_HINT
        raise OptionError(
            f"there is no dialect {one_line(name)!r}",
            code="unknown-dialect",
            hint="; ".join([near, *self._problems]),
        )

    def find(self, name: str, *, depth: int = 0) -> MelDialect:
        """Return the dialect with a name.

        Raises
        ------
        OptionError
            As for `entry`, and if the recipe is broken or refused.
        """
        if name not in self._dialects:
            self._dialects[name] = self._build(self.entry(name), depth)
        return self._dialects[name]

    def matching(self, shape: Iterable[int], low: float, high: float) -> list[str]:
        """Return the names of dialects that an array may be in, by its shape and extent; the nearest ones first."""
        sizes = set(shape)
        found: list[tuple[float, str]] = []
        for name in self:
            if self.entry(name).alias:
                continue
            try:
                dialect = self.find(name)
            except OptionError:
                continue
            if dialect.n_mels in sizes and not dialect.standardised and not dialect.contradiction(low, high):
                distance = abs(low - dialect.range.low) / dialect.range.unit if dialect.range.unit else math.inf
                found.append((distance, name))
        return [name for _, name in sorted(found)]

    def _build(self, entry: CatalogueEntry, depth: int) -> MelDialect:
        if isinstance(entry.recipe, MelDialect):
            return entry.recipe
        figures = dict(entry.recipe)
        if reason := figures.pop("refused", ""):
            raise OptionError(f"the dialect {entry.name} is refused: {one_line(reason)}", code=REFUSED)
        try:
            base = figures.pop("base", None)
            if depth > MAX_BASES:
                raise OptionError(f"it has more than {MAX_BASES} bases, or a circle of them")
            inherited = msgspec.to_builtins(self.find(str(base), depth=depth + 1)) if base is not None else {}
            if base is not None and not entry.alias:
                inherited |= {"source": "", "notes": ""}
            return parse_dialect(inherited | {"name": entry.name} | figures)
        except OptionError as error:
            if error.code == REFUSED:
                raise  # the base cannot be used, and its own error gives the reason
            raise OptionError(
                f"the dialect {entry.name} of {one_line(entry.origin)} is broken: {error.message}",
                code="broken-dialect",
                hint=error.hint or BROKEN_HINT,
            ) from error


def parse_dialect(figures: Mapping[str, Any]) -> MelDialect:
    """Return the dialect described by figures.

    Raises
    ------
    OptionError
        If a figure is unknown, missing or invalid.
    """
    steps = figures.get("steps") or ()
    known = [(figures, MelDialect.__struct_fields__)]
    known += [(step, MelStep.__struct_fields__) for step in steps if isinstance(step, Mapping)]
    for given, names in known:
        for name in given:
            if name not in names:
                raise OptionError(f"it has no figure {one_line(name)!r}", hint=did_you_mean(str(name), names))
    try:
        return msgspec.convert(dict(figures), MelDialect, strict=True)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        raise cause if isinstance(cause, OptionError) else OptionError(one_line(error)) from error
