"""The types of options: which are supported, what a union offers, and quantities with a unit."""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from tonearm.plugins.plugin import NAMES_EACH, NAMES_FILE, OR_NAME, Plugin
from tonearm.signals.windows import WINDOW_FILES

UNIT = "unit"
"""Key in ``Meta(extra=…)``: unit of a number, which may also be given as text, as in ``20 ms``."""

Duration: TypeAlias = Annotated[float, msgspec.Meta(extra={UNIT: "s"})]
"""Duration in seconds; a pipeline may give a number, or text: ``1.5 s``, ``20 ms``, ``2 min``."""

Milliseconds: TypeAlias = Annotated[float, msgspec.Meta(extra={UNIT: "ms"})]
"""Duration in milliseconds; a pipeline may give a number, or text: ``20 ms``, ``0.5 s``."""

Decibels: TypeAlias = Annotated[float, msgspec.Meta(extra={UNIT: "dB"})]
"""Level or gain in decibels; a pipeline may give a number, or text: ``-3 dB``."""

Size: TypeAlias = Annotated[float, msgspec.Meta(extra={UNIT: "B"})]
"""Size in bytes; a pipeline may give a number, or text: ``2GB``, ``512 MiB``."""

WindowName: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, extra={NAMES_FILE: WINDOW_FILES})]
"""Name of a window, or path of a ``.npy`` or ``.txt`` file with its values, relative to the pipeline's file."""

_SECONDS = {"us": (1, 10**6), "µs": (1, 10**6), "ms": (1, 1000), "s": (1, 1), "min": (60, 1), "h": (3600, 1)}
UNITS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "s": _SECONDS,
    "ms": {name: (1000 * number, parts) for name, (number, parts) in _SECONDS.items()},
    "dB": {"dB": (1, 1), "db": (1, 1)},
    "B": {
        "B": (1, 1),
        **{f"{prefix}B": (1000**power, 1) for power, prefix in enumerate(("k", "M", "G", "T"), 1)},
        **{f"{prefix}iB": (1024**power, 1) for power, prefix in enumerate(("K", "M", "G", "T"), 1)},
    },
}
"""Units of options, each with the units that text may have, as a fraction of the first."""

UNIT_EXAMPLES: Mapping[str, str] = {"s": "1.5 s", "ms": "20 ms", "dB": "-3 dB", "B": "2 GB"}
_QUANTITY = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµμ]+)"
SUPPORTED = (
    "bool, int, float, str, Literal, Enum, Path, FilePath, WindowName, Duration, Milliseconds, Decibels, Size,"
    " dataclasses, msgspec structs, plugin base classes, and lists, tuples, sets, dicts and unions of these"
)
"""Types of options that are supported, in words."""

_LEAVES = (bool, int, float, str, bytes, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict, Sequence, Mapping, Iterable)
_MODULES = ("datetime", "decimal", "uuid")


def quantity(text: str, unit: str) -> float | None:
    """Return the number of a text with a unit, in another unit: ``quantity("20 ms", "s")`` is 0.02.

    Parameters
    ----------
    text
        Number and unit, with or without a space.
    unit
        Unit of the result, one of `UNITS`.

    Returns
    -------
    float or None
        Number; None if the text has no unit, or one of another kind, or if no float holds the number.
    """
    found = re.fullmatch(_QUANTITY, text.strip())
    scale = UNITS[unit].get(found[2].replace("μ", "µ")) if found else None
    if found is None or scale is None:
        return None
    number = float(found[1]) * scale[0] / scale[1]
    return number if math.isfinite(number) else None


@functools.cache
def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the types that a type offers: those of a union, or itself, each with the bounds that apply to it.

    ``Annotated[int | None, Meta(ge=1)]`` offers ``Annotated[int, Meta(ge=1)]`` and ``None``. Choices come first and
    text comes last, because Python does not keep the order of a union.
    """
    found = tuple(_offered(hint))
    return tuple(sorted(found, key=_rank)) if len(found) - (type(None) in found) > 1 else found


def _offered(hint: Any) -> Iterator[Any]:
    if is_union(hint):
        for part in typing.get_args(hint):
            yield from _offered(part)
    elif typing.get_origin(hint) is Annotated and is_union(hint.__origin__):
        inner, *metas = typing.get_args(hint)
        yield from (_annotated(one, metas) for one in _offered(inner))
    else:
        yield hint


def _rank(hint: Any) -> tuple[int, str]:
    inner = bare(hint)
    order = (bool, int, float)
    if choices(inner):
        rank = -1
    elif inner in order:
        rank = order.index(inner)
    else:
        rank = len(order) + (2 if inner is str else 1 if is_path(hint) else 0)
    return rank, str(inner)


def is_union(hint: Any) -> bool:
    """Return whether a type is a union."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def bare(hint: Any) -> Any:
    """Return a type without ``Annotated``."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def extra_of(hint: Any) -> dict[str, Any]:
    """Return the extra properties of a type, and of the types in it."""
    extra: dict[str, Any] = {}
    for part in typing.get_args(hint):
        extra |= (part.extra or {}) if isinstance(part, msgspec.Meta) else extra_of(part)
    return extra


def unit_of(hint: Any) -> str | None:
    """Return the unit of an alternative of a type; None if it has none."""
    extras = (meta.extra or {} for meta in typing.get_args(hint)[1:] if isinstance(meta, msgspec.Meta))
    return next((str(extra[UNIT]) for extra in extras if UNIT in extra), None) if bare(hint) is float else None


def file_suffixes(extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the suffixes of the texts that name a file, by the extra properties of an option: ``("",)`` if all do."""
    found = extra.get(NAMES_FILE) or ()
    return ("",) if found is True else tuple(found)


def names_file(hint: Any, value: Any = "") -> bool:
    """Return whether a value of an alternative of a type names a file; by default, whether every value does."""
    metas = typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ()
    extras = (meta.extra or {} for meta in metas if isinstance(meta, msgspec.Meta))
    return is_path(hint) or any(str(value).lower().endswith(file_suffixes(extra)) for extra in extras)


def may_be_name(hint: Any, value: Any) -> bool:
    """Return whether a value that names a file may be a name of something else as well, if there is no such file."""
    return bool(extra_of(hint).get(OR_NAME)) and not str(value).startswith(("/", "./", "../", "~"))


def names_each(extra: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value names a file of each source, by the extra properties of its type: ``f0/{stem}.npy``."""
    return bool(extra.get(NAMES_EACH)) and "{" in str(value)


def _may_name_file(hint: Any) -> bool:
    return is_path(hint) or (typing.get_origin(hint) is Annotated and bool(file_suffixes(extra_of(hint))))


def is_path(hint: Any) -> bool:
    """Return whether an alternative of a type is a path of `pathlib`, without importing it."""
    inner = bare(hint)
    return isinstance(inner, type) and inner.__module__.partition(".")[0] == "pathlib"


def is_enum(hint: Any) -> bool:
    """Return whether an alternative of a type is an enumeration, without importing `enum`."""
    inner = bare(hint)
    return isinstance(inner, type) and hasattr(inner, "__members__")


def is_record(hint: Any) -> bool:
    """Return whether an alternative of a type is a dataclass or struct."""
    inner = bare(hint)
    return isinstance(inner, type) and (dataclasses.is_dataclass(inner) or issubclass(inner, msgspec.Struct))


def is_plugin(hint: Any) -> bool:
    """Return whether an alternative of a type is a plugin."""
    base = typing.get_origin(bare(hint)) or bare(hint)
    return isinstance(base, type) and issubclass(base, Plugin)


def container(hint: Any) -> Any:
    """Return the container of an alternative of a type, such as ``list``; None if it is none."""
    inner = bare(hint)
    found = typing.get_origin(inner) or inner
    return found if found in _CONTAINERS else None


def is_mapping(hint: Any) -> bool:
    """Return whether an alternative of a type is a mapping of any names."""
    return container(hint) in (dict, Mapping)


@functools.cache
def is_plain(hint: Any) -> bool:
    """Return whether msgspec can read a type alone.

    It cannot where a type holds a plugin, a record, a file or a unit, several kinds of text, or bounds of a union.
    """
    offered = [one for one in alternatives(hint) if one is not type(None)]
    if len(offered) > 1 and (sum(map(_is_text, offered)) > 1 or any(map(_is_bounded, offered))):
        return False
    return all(map(_is_plain, offered))


def _is_plain(hint: Any) -> bool:
    if is_record(hint) or is_plugin(hint) or _may_name_file(hint) or unit_of(hint):
        return False
    return container(hint) is None or all(is_plain(part) for part in typing.get_args(bare(hint)) if part is not ...)


def _is_text(hint: Any) -> bool:
    inner = bare(hint)
    values = typing.get_args(inner) if typing.get_origin(inner) is typing.Literal else ()
    return inner is str or is_enum(hint) or any(isinstance(value, str) for value in values)


_NUMBER_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of")
_LENGTH_BOUNDS = ("min_length", "max_length")


def _bounds_of(meta: Any) -> dict[str, Any]:
    names = (*_NUMBER_BOUNDS, *_LENGTH_BOUNDS, "pattern")
    return {name: getattr(meta, name) for name in names if getattr(meta, name, None) is not None}


def _is_bounded(hint: Any) -> bool:
    return typing.get_origin(hint) is Annotated and any(map(_bounds_of, typing.get_args(hint)[1:]))


def _annotated(hint: Any, metas: Sequence[Any]) -> Any:
    """Return an alternative of a type with those bounds that apply to it, and with all other properties."""
    inner = bare(hint)
    applicable: tuple[str, ...] = ()
    if inner in (int, float):
        applicable = _NUMBER_BOUNDS
    elif inner is str or is_path(hint):
        applicable = (*_LENGTH_BOUNDS, "pattern")
    elif container(hint) is not None:
        applicable = _LENGTH_BOUNDS
    kept: list[Any] = []
    for meta in metas:
        if not isinstance(meta, msgspec.Meta):
            continue
        bounds = {name: value for name, value in _bounds_of(meta).items() if name in applicable}
        described = {"description": meta.description, "examples": meta.examples, "extra": meta.extra}
        found: dict[str, Any] = bounds | {name: value for name, value in described.items() if value}
        kept.append(msgspec.Meta(**found))
    return operator.getitem(typing.cast("Any", Annotated), (hint, *kept)) if kept and inner is not type(None) else hint


def choices(hint: Any) -> list[str]:
    """Return the values of the ``Literal`` and the enumerations in a type."""
    if typing.get_origin(hint) is typing.Literal:
        return [str(value) for value in typing.get_args(hint)]
    if is_enum(hint):
        return [str(member.value) for member in bare(hint)]
    return [choice for part in typing.get_args(hint) for choice in choices(part)]


def check_hints(owner: str, hints: Mapping[str, Any]) -> None:
    """Raise `TypeError` if an option has a type that is not supported.

    Parameters
    ----------
    owner
        Name of the dataclass of the options.
    hints
        Type of each option.
    """
    for name, hint in hints.items():
        wrong = next(_unsupported(hint), None)
        if wrong is not None:
            shown = wrong.__name__ if isinstance(wrong, type) else str(wrong).replace("typing.", "")
            raise TypeError(
                f"option {name!r} of {owner} has the type {shown}, which is not supported; supported: {SUPPORTED}"
            )


def _unsupported(hint: Any) -> Iterator[Any]:
    """Yield the types in a type that are not supported."""
    others = [one for one in alternatives(hint) if not _is_simple(bare(one))]
    for one in others:
        inner = bare(one)
        if container(one) is not None:
            parts = (part for part in typing.get_args(inner) if part is not ...)
            yield from (wrong for part in parts for wrong in _unsupported(part))
        elif not _is_leaf(one):
            yield inner
    if len(others) > 1:
        lists = sum(container(one) is not None and not is_mapping(one) for one in others)
        if lists > 1 or sum(map(is_plugin, others)) > 1:
            yield hint


def _is_simple(inner: Any) -> bool:
    return inner in _LEAVES or typing.get_origin(inner) is typing.Literal


def _is_leaf(hint: Any) -> bool:
    inner = bare(hint)
    if inner is Any or _is_simple(inner):
        return True
    if is_plugin(hint):
        return hasattr(typing.get_origin(inner) or inner, "role")
    if is_record(hint) or is_path(hint) or is_enum(hint):
        return True
    # Types that msgspec reads as well: dates, decimals, typed dicts, named tuples and new types.
    named = isinstance(inner, type) and (hasattr(inner, "__total__") or hasattr(inner, "_fields"))
    return getattr(inner, "__module__", "") in _MODULES or named or hasattr(inner, "__supertype__")
