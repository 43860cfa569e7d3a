"""Structs that packages hand over by name, such as recipes: each is built and checked on first use."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import NODEFAULT, Meta, Struct, structs

from tonearm.errors import OptionError, did_you_mean, one_line
from tonearm.errors.text import short_repr
from tonearm.names import BROKEN_HINT, preferred

MAX_BASES = 8
"""Largest number of bases that a struct may go through."""


class Named(Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True, forbid_unknown_fields=True):
    """A struct that packages hand over by name, as an instance or as its figures by name.

    Among the figures, ``base`` names another struct that gives the missing ones, and ``refused`` is the reason why the
    struct cannot be used.
    """

    hook: ClassVar[str]
    """Hook through which packages hand over structs of this class."""
    noun: ClassVar[str]
    """Word for a struct of this class in messages, error codes and options."""
    parts: ClassVar[Mapping[str, type[Struct]]] = {}
    """Figures that are lists of structs, each with the class of these."""

    name: Annotated[str, Meta(description="Name in messages.")] = ""
    source: Annotated[str, Meta(description="Source of the figures.")] = ""
    notes: Annotated[str, Meta(description="Notes.")] = ""

    def __repr__(self) -> str:
        figures = ((name, default, getattr(self, name)) for name, default in figure_defaults(type(self)).items())
        told = [
            f"{name}={short_repr(value)}"
            for name, default, value in figures
            if value != default and name not in ("name", "source", "notes")
        ]
        return f"{type(self).__name__}({', '.join([repr(self.name)] * bool(self.name) + told)})"

    @property
    def label(self) -> str:
        """Name, or a substitute if there is none."""
        return self.name or "spelled out"

    @property
    def refusal(self) -> str | None:
        """Reason why the struct can do less than others of its class; None or an empty text if there is none."""
        return None

    @classmethod
    def figure_names(cls) -> tuple[str, ...]:
        """Return the names of all figures, those that a subclass adds before those that it inherits."""
        inherited = cls.__base__.figure_names() if cls.__base__ and issubclass(cls.__base__, Named) else ()
        return (*(name for name in cls.__struct_fields__ if name not in inherited), *inherited)


N = TypeVar("N", bound=Named)


@functools.cache
def figure_defaults(cls: type[Named]) -> Mapping[str, Any]:
    """Return the default of each figure by name; ``NODEFAULT`` for those that have none."""
    return {
        field.name: field.default if field.default_factory is NODEFAULT else field.default_factory()
        for field in structs.fields(cls)
    }


def listing_hint(cls: type[Named]) -> str:
    """Return the hint to list all structs of a class."""
    return f"tonearm {cls.noun}s lists all"


class CatalogueEntry(Struct, frozen=True):
    """A struct or its figures, with its name and the package that registers it.

    Parameters
    ----------
    origin
        Name of the package's entry point.
    name
        Name of the struct.
    given
        Struct, or its figures by name.
    """

    origin: str
    name: str
    given: Named | Mapping[str, Any]

    @property
    def alias(self) -> str:
        """Name that this entry is an alias of; empty if it is not an alias."""
        given = self.given
        return str(given["base"]) if isinstance(given, Mapping) and set(given) == {"base"} else ""


class Catalogue(Generic[N]):
    """All structs of a class by name.

    Parameters
    ----------
    cls
        Class of the structs.
    entries
        Entries of all packages. As with plugins, built-in names win, and two others that clash are told apart as
        ``origin/name``.
    problems
        Messages about entries that are disabled; they explain why a name may be missing.
    """

    def __init__(self, cls: type[N], entries: Iterable[CatalogueEntry] = (), problems: Iterable[str] = ()) -> None:
        self.cls = cls
        self._problems = tuple(problems)
        self._entries: dict[str, list[CatalogueEntry]] = {}
        self._built: dict[str, N] = {}
        for entry in entries:
            self._entries.setdefault(entry.name, []).append(entry)

    def __iter__(self) -> Iterator[str]:
        """Yield the shortest name of each struct, sorted."""
        for name, candidates in sorted(self._entries.items()):
            yield from [name] if preferred(candidates) else [f"{entry.origin}/{name}" for entry in candidates]

    def entry(self, name: str) -> CatalogueEntry:
        """Return the entry with a name, bare or as ``origin/name``. Underscores in the name match hyphens.

        Raises
        ------
        OptionError
            If there is no such entry, or the bare name is ambiguous.
        """
        origin, _, bare = name.rpartition("/")
        candidates = self._entries.get(bare) or self._entries.get(bare.replace("_", "-"), [])
        if origin:
            candidates = [entry for entry in candidates if entry.origin == origin]
        if found := preferred(candidates):
            return found
        if candidates:
            names = " or ".join(f"{entry.origin}/{entry.name}" for entry in candidates)
            raise OptionError(
                f"two packages offer the {self.cls.noun} {name}",
                code=f"ambiguous-{self.cls.noun}",
                hint=f"write {names}",
            )
        near = did_you_mean(name, self) or listing_hint(self.cls)
        raise OptionError(
            f"there is no {self.cls.noun} {one_line(name)!r}",
            code=f"unknown-{self.cls.noun}",
            hint="; ".join([near, *self._problems]),
        )

    def find(self, name: str, *, depth: int = 0) -> N:
        """Return the struct with a name.

        Raises
        ------
        OptionError
            As for `entry`, and if its figures are broken or refused.
        """
        if name not in self._built:
            self._built[name] = self._build(self.entry(name), depth)
        return self._built[name]

    def usable(self) -> Iterator[tuple[str, N]]:
        """Yield the name of each struct that can be built, and the struct. Other names of a struct are left out."""
        for name in self:
            if not self.entry(name).alias:
                try:
                    found = self.find(name)
                except OptionError:
                    continue
                yield name, found

    def _build(self, entry: CatalogueEntry, depth: int) -> N:
        if isinstance(entry.given, self.cls):
            return entry.given
        noun, refused = self.cls.noun, f"refused-{self.cls.noun}"
        figures = dict(entry.given) if isinstance(entry.given, Mapping) else {}
        if reason := figures.pop("refused", ""):
            raise OptionError(f"the {noun} {entry.name} is refused: {one_line(reason)}", code=refused)
        try:
            base = figures.pop("base", None)
            if depth > MAX_BASES:
                raise OptionError(f"it has more than {MAX_BASES} bases, or a circle of them")
            inherited = msgspec.to_builtins(self.find(str(base), depth=depth + 1)) if base is not None else {}
            if base is not None and not entry.alias:
                inherited |= {"source": "", "notes": ""}
            return from_figures(self.cls, inherited | {"name": entry.name} | figures)
        except OptionError as error:
            if error.code == refused:
                raise  # the base cannot be used, and its own error gives the reason
            raise OptionError(
                f"the {noun} {entry.name} of {one_line(entry.origin)} is broken: {error.message}",
                code=f"broken-{noun}",
                hint=error.hint or BROKEN_HINT,
            ) from error


def from_figures(cls: type[N], figures: Mapping[str, Any]) -> N:
    """Return the struct described by figures.

    Raises
    ------
    OptionError
        If a figure is unknown, missing or invalid.
    """
    _check_names(cls, figures)
    try:
        return msgspec.convert(dict(figures), cls, strict=True)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        raise cause if isinstance(cause, OptionError) else OptionError(one_line(error)) from error


def _check_names(cls: type[Named], figures: Mapping[str, Any]) -> None:
    """Raise `OptionError` if a figure, or a field of a struct in it, is unknown."""
    known: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(figures, cls.__struct_fields__)]
    for name, part in cls.parts.items():
        items = figures.get(name)
        items = items if isinstance(items, (list, tuple)) else ()  # msgspec refuses anything else
        known += [(item, part.__struct_fields__) for item in items if isinstance(item, Mapping)]
    for given, names in known:
        for name in given:
            if name not in names:
                raise OptionError(f"it has no figure {one_line(name)!r}", hint=did_you_mean(str(name), names))
