"""The arrays that options select among several with names, each with its companions and what stands beside it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tonearm.arrays.options import ArrayOptions
from tonearm.arrays.stated import Statements, holds_no_numbers, ignores_file, is_setting
from tonearm.arrays.stated_figures import beside as figures_beside
from tonearm.errors import Advice, GiveOption, ItemError, SetOption, one_line
from tonearm.plugins.context import Context
from tonearm.reading.nearby import levels_of
from tonearm.signals import Waveform

if TYPE_CHECKING:
    from tonearm.typing import Array

COMPANIONS: Final = ("lengths", "imag", "phase")
"""Options of `KeyedArrayOptions` that name a companion: a second array that belongs to the first."""

SelectedArray: TypeAlias = "tuple[str, Array | Waveform, Mapping[str, Array], Mapping[str, Any]]"
"""An array with its name before it, and its companions and what stands beside it, by name."""


def companions_of(options: ArrayOptions) -> list[str]:
    """Return the options that name a companion, among those that are given."""
    return [name for name in COMPANIONS if getattr(options, name, None) is not None]


def selected_arrays(
    found: Mapping[str, Array],
    options: Any,
    context: Context,
    *,
    named: Iterable[str] = (),
    several: Callable[[list[str]], list[str]] | None = None,
) -> Iterator[SelectedArray | ItemError]:
    """Yield the arrays that options select, or their errors.

    Parameters
    ----------
    found
        Arrays by name, each of which may be loaded on access.
    options
        Options of the decoder; without an option ``key``, there must be one array that can be meant.
    context
        Context of the source.
    named
        Options that name companions to load.
    several
        Function that returns the names of arrays to read without ``key``, of decoders whose files hold many; None if
        there must be one.

    Raises
    ------
    ItemError
        If no array can be chosen.
    """
    keys = set(found)
    statements = Statements(found)
    for name in (getattr(options, option) for option in named):
        if name not in keys and "*" not in name:
            raise no_such_key(name, found)
    chosen = _chosen(found, statements, options, several)
    takes_all = len(chosen) > 1 and (_key(options) or "").endswith("*")
    is_found = False
    values: list[SelectedArray] = []
    for key in chosen:
        others = {name: options.companion(name, key) for name in named}
        missing = next((other for other in others.values() if other not in keys), None)
        try:
            if missing is not None:
                raise no_such_key(missing, found)
            array, beside = statements.load(key), {name: found[other] for name, other in others.items()}
            if "lengths" not in others and (name := _stated_lengths(key, array, statements, options, context)):
                beside["lengths"] = found[name]
                context.measure(lengths=name)
            says = statements.about(key)
            if len(keys) > 1 and (figures := figures_beside(found, key, keys)):
                says = ChainMap(*levels_of(says), figures)
            selected = key, array, beside, says
        except ItemError as error:
            if not (takes_all and holds_no_numbers(error)):
                yield error
            continue
        if takes_all and is_setting(key, array):
            values.append(selected)
        else:
            is_found = True
            yield selected
    if not is_found:
        yield from values


def _stated_lengths(
    key: str, array: Array | Waveform, statements: Statements, options: ArrayOptions, context: Context
) -> str | None:
    """Return the name of the lengths that stand beside an array, if it may be a batch; else None."""
    axes = options.axes
    if not statements.lengths or ignores_file(options) or (axes and "batch" not in axes):
        return None
    name = statements.lengths_of(key, array)
    if name is None and (unused := statements.unused_lengths(key, array)):
        context.warn(f"{one_line(unused, 60)!r} is not used, because there is no padding behind these lengths")
    return name


def _chosen(
    found: Mapping[str, Array],
    statements: Statements,
    options: ArrayOptions,
    several: Callable[[list[str]], list[str]] | None,
) -> list[str]:
    """Return the names of the selected arrays, without companions and numbers that state a sample rate."""
    from fnmatch import fnmatchcase

    keys = list(found)  # looking names up in the mapping might load an array
    others = [getattr(options, option) for option in companions_of(options)]
    candidates = [key for key in keys if not any(key == name or fnmatchcase(key, name) for name in others)]
    if len(candidates) > 1:
        candidates = [key for key in candidates if not statements.states_rate(key)]
    pattern = _key(options)
    if pattern is None and several is not None and candidates:
        return several(candidates)
    if pattern is None and len(candidates) > 1:
        candidates = statements.of_many_values(candidates)
    if pattern is None:
        if not candidates:
            raise ItemError("there is no array", code="empty")
        if len(candidates) > 1:
            has_key = hasattr(options, "key")
            raise ItemError(
                f"there are {len(candidates)} arrays: {_some(candidates)}",
                code="several-arrays",
                remedies=(GiveOption("key", "its name"), SetOption("key", "*", when="for all"))
                if has_key
                else (Advice("give one of them alone"),),
            )
        return candidates
    chosen = [pattern] if pattern in keys else [key for key in candidates if fnmatchcase(key, pattern)]
    if not chosen:
        raise no_such_key(pattern, keys)
    return chosen


def _key(options: ArrayOptions) -> str | None:
    """Return the name or pattern of the arrays to read; None if it is not given, or there is no such option."""
    return getattr(options, "key", None)


def no_such_key(key: str, found: Iterable[str]) -> ItemError:
    """Return the error for a name or pattern that no array has."""
    names = list(found)
    hint = f"there are {_some(names)}" if names else "there are no arrays at all"
    return ItemError(f"there is no array {one_line(key)!r}", code="no-such-key", hint=hint)


def _some(keys: list[str], limit: int = 10) -> str:
    """Return the names of a few arrays on one line."""
    named = ", ".join(one_line(key, 60) for key in keys[:limit])
    return f"{named} and {len(keys) - limit} more" if len(keys) > limit else named
