"""Dialects by name, as plugins offer them; a name is looked at when somebody asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from tonearm.errors import OptionError, did_you_mean, one_line
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.mel.steps import MelStep

Recipe: TypeAlias = MelDialect | Mapping[str, Any]
"""A dialect, or its figures by name as YAML has them.

``base`` takes those of another; ``refused`` says why it cannot be used at all.
"""

BUILTIN = "builtin"
MAX_BASES = 8
REFUSED = "refused-dialect"


class Offered(Struct, frozen=True):
    """A recipe with the package that it comes from.

    Parameters
    ----------
    origin
        Name of the entry point.
    name
        Of the dialect.
    recipe
        The recipe.
    """

    origin: str
    name: str
    recipe: Recipe

    @property
    def alias(self) -> str:
        """The dialect that this is another name of; empty if it is none."""
        given = self.recipe
        return str(given["base"]) if isinstance(given, Mapping) and set(given) == {"base"} else ""


class Catalogue:
    """All dialects by name.

    Parameters
    ----------
    offered
        What packages offer. As with plugins, built-in names win, and two others that clash are told apart by
        ``origin/name``.
    aside
        What was set aside, and why: a name may be missing for that.
    """

    def __init__(self, offered: Iterable[Offered] = (), aside: Iterable[str] = ()) -> None:
        self._aside = tuple(aside)
        self._offered: dict[str, list[Offered]] = {}
        self._made: dict[str, MelDialect] = {}
        for one in offered:
            self._offered.setdefault(one.name, []).append(one)

    def __iter__(self) -> Iterator[str]:
        """Yield the names by which dialects are found, in order."""
        for name, same in sorted(self._offered.items()):
            yield from ([name] if _bare(same) else [f"{one.origin}/{name}" for one in same])

    def offer(self, name: str) -> Offered:
        """Return what is offered under a name, bare or as ``origin/name``; an underscore is as good as a dash.

        Raises
        ------
        OptionError
            If there is nothing, or there are two and the bare name does not say which.
        """
        origin, _, bare = name.rpartition("/")
        same = self._offered.get(bare) or self._offered.get(bare.replace("_", "-"), [])
        if origin:
            same = [one for one in same if one.origin == origin]
        if found := (same[0] if origin and same else _bare(same)):
            return found
        if same:
            names = " or ".join(f"{one.origin}/{one.name}" for one in same)
            raise OptionError(f"two packages offer the dialect {name}", code="ambiguous-dialect", hint=f"write {names}")
        near = did_you_mean(name, self) or "tonearm plugins npy-reader --dialects lists all"
        raise OptionError(
            f"there is no dialect {one_line(name)!r}", code="unknown-dialect", hint="; ".join([near, *self._aside])
        )

    def find(self, name: str, *, depth: int = 0) -> MelDialect:
        """Return the dialect of a name.

        Raises
        ------
        OptionError
            As `offer`, and if it is broken, or refused with a reason.
        """
        if name not in self._made:
            offer = self.offer(name)
            self._made[name] = self._make(offer, depth)
        return self._made[name]

    def fitting(self, shape: Iterable[int], low: float, high: float) -> list[str]:
        """Return the names of dialects that values of this shape and extent may be in, the nearest first."""
        sizes = set(shape)
        found: list[tuple[float, str]] = []
        for name in self:
            if self.offer(name).alias:
                continue
            try:
                dialect = self.find(name)
            except OptionError:
                continue
            if dialect.n_mels in sizes and not dialect.standardised and not dialect.contradiction(low, high):
                away = abs(low - dialect.range.low) / dialect.range.unit if dialect.range.unit else math.inf
                found.append((away, name))
        return [name for _, name in sorted(found)]

    def _make(self, offer: Offered, depth: int) -> MelDialect:
        if isinstance(offer.recipe, MelDialect):
            return offer.recipe
        figures = dict(offer.recipe)
        if reason := figures.pop("refused", ""):
            raise OptionError(f"the dialect {offer.name} is refused: {one_line(reason)}", code=REFUSED)
        try:
            base = figures.pop("base", None)
            if depth > MAX_BASES:
                raise OptionError("its bases lead nowhere")
            below = msgspec.to_builtins(self.find(str(base), depth=depth + 1)) if base is not None else {}
            if base is not None and not offer.alias:
                below |= {"source": "", "notes": ""}
            return made_of(below | {"name": offer.name} | figures)
        except OptionError as error:
            if error.code == REFUSED:
                raise  # what it is based on cannot be used, and says why
            raise OptionError(
                f"the dialect {offer.name} of {one_line(offer.origin)} is broken: {error.message}",
                code="broken-dialect",
                hint=error.hint or "update or uninstall the package that it comes from",
            ) from error


def made_of(figures: Mapping[str, Any]) -> MelDialect:
    """Return the dialect that figures by name describe.

    Raises
    ------
    OptionError
        If one is unknown, missing, or not what it should be.
    """
    steps = figures.get("steps") or ()
    known = [(figures, MelDialect.__struct_fields__)]
    known += [(step, MelStep.__struct_fields__) for step in steps if isinstance(step, Mapping)]
    for given, names in known:
        for name in given:
            if name not in names:
                raise OptionError(f"{one_line(name)!r} is none of its figures", hint=did_you_mean(str(name), names))
    try:
        return msgspec.convert(dict(figures), MelDialect, strict=True)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        raise cause if isinstance(cause, OptionError) else OptionError(one_line(error)) from error


def _bare(same: list[Offered]) -> Offered | None:
    """Return what a bare name means: the built-in one, or the only one."""
    builtin = [one for one in same if one.origin == BUILTIN]
    return builtin[0] if builtin else (same[0] if len(same) == 1 else None)
