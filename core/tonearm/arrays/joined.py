"""Arrays of one source that make one signal together, as the levels of ragged codec tokens do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from tonearm.arrays.options import ArrayOptions
from tonearm.arrays.selection import no_such_key
from tonearm.arrays.stated import Statements, holds_no_numbers, ignores_file, rate_among, with_stated
from tonearm.arrays.stated_lengths import has_name_of_lengths
from tonearm.arrays.stated_segments import with_stated_segments
from tonearm.arrays.values import numbers
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.signals import CodecTokens, Signal, Waveform

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_JOINED: Final = 1000
"""Largest number of arrays that make one signal."""

_LAST_NUMBER = re.compile(r"(.*?)([0-9]{1,9})([^0-9]*)", re.DOTALL)
_MARKS: Final = "._-/[( "


def joined_names(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of arrays that belong together, by what they share, in the order of their last number.

    Names without a number belong together in the order in which they stand.

    Examples
    --------
    >>> joined_names(["codes_10", "codes_2", "codes_1"])
    {'codes': ['codes_1', 'codes_2', 'codes_10']}
    >>> joined_names(["0.0", "0.1", "1.0", "1.1"])
    {'0': ['0.0', '0.1'], '1': ['1.0', '1.1']}
    >>> joined_names(["coarse", "fine"])
    {'': ['coarse', 'fine']}
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for place, name in enumerate(names):
        found = _LAST_NUMBER.fullmatch(name)
        shared, number = ((found[1], found[3]), int(found[2])) if found else (("", ""), place)
        groups.setdefault(shared, []).append((number, name))
    if len(groups) > 1 and all(len(group) == 1 for group in groups.values()):
        return {"": [name for ((_, name),) in groups.values()]}
    return {"".join(shared).rstrip(_MARKS): [name for _, name in sorted(group)] for shared, group in groups.items()}


def read_joined(
    found: Mapping[str, Array], options: ArrayOptions, context: Context
) -> Iterator[Item[Signal] | ItemError]:
    """Yield the items that arrays make together: of all arrays, or of those that ``key`` names.

    Parameters
    ----------
    found
        Arrays by name, each of which may be loaded on access. Those that hold one number, text or parts of numbers
        beside whole numbers do not count.
    options
        Options of the decoder, whose kind joins arrays.
    context
        Context of the source.

    Raises
    ------
    ItemError
        If no array can be meant.
    """
    statements = Statements(found)
    pattern = getattr(options, "key", None)
    names = [name for name in found if pattern is None or name == pattern or fnmatchcase(name, pattern)]
    if pattern is not None and not names:
        raise no_such_key(pattern, found)
    loaded, factors = _loaded(names, statements)
    if not loaded:
        raise ItemError("there is no array of whole numbers", code="empty", hint="check what was saved")
    index = 0
    groups = joined_names(loaded)
    for key, members in groups.items():
        try:
            parts = [loaded[name] for name in members]
            lengths = _lengths(members, parts, statements, found, options)
            for one in _signals(parts, statements.about(members[0]), options, context, factors, lengths):
                yield one if isinstance(one, ItemError) else Item(signal=one, key=key, index=index)
                index += 1
        except ItemError as error:
            if len(groups) == 1:
                raise
            yield error
            index += 1


def _loaded(names: list[str], statements: Statements) -> tuple[dict[str, Array], list[Array]]:
    """Return the arrays that may be parts of a signal: those of whole numbers, and other ones beside them.

    If there are no whole numbers, the other ones may be it.
    """
    if len(names) > MAX_JOINED:
        raise ItemError(
            f"there are {len(names):,} arrays, more than the parts of one signal",
            code="several-arrays",
            hint="name those of one signal by a pattern: key: codes_*",
        )
    arrays: dict[str, Array] = {}
    for name in names:
        try:
            array: Any = statements.load(name)
        except ItemError as error:
            if not holds_no_numbers(error):
                raise
            continue
        is_part = not isinstance(array, Waveform) and array.ndim and not has_name_of_lengths(name)
        if is_part and array.dtype.kind in "iuf":
            arrays[name] = array
    whole = {name: array for name, array in arrays.items() if array.dtype.kind in "iu"}
    return (whole, [array for name, array in arrays.items() if name not in whole]) if whole else (arrays, [])


def _lengths(
    members: list[str], parts: list[Array], statements: Statements, found: Mapping[str, Array], options: ArrayOptions
) -> Array | None:
    """Return the lengths of a padded batch: those that an option names, or those that stand beside its only array."""
    name = getattr(options, "lengths", None)
    if name is not None and name not in found:
        raise no_such_key(name, found)
    if name is None and len(members) == 1 and not ignores_file(options):
        name = statements.lengths_of(members[0], parts[0])
    return None if name is None else found[name]


def _signals(
    arrays: list[Array],
    says: Mapping[str, Any],
    options: ArrayOptions,
    context: Context,
    factors: list[Array],
    lengths: Array | None,
) -> Iterator[Signal | ItemError]:
    """Yield the signals that arrays make together, at the sample rate that the options or the file state."""
    stated = rate_among(says) if says and not ignores_file(options) else None
    options = with_stated(options, stated)
    given = [numbers(array) for array in arrays]
    for index, one in enumerate(options.read_kind.read_whole(given, options.axes, lengths, context) or ()):
        if not isinstance(one, CodecTokens):
            yield one
            continue
        known = one if ignores_file(options) else with_stated_segments(one, says)
        yield _with_scales(known, index, factors)


def _with_scales(tokens: CodecTokens, index: int, factors: list[Array]) -> CodecTokens:
    """Return tokens with the factors of their segments, if these stand beside the codes.

    EnCodec gives a factor for each segment and element of a batch: in pairs with the codes, or in an array of them all.
    """
    count = len(tokens.segments or ())
    flat = [value for factor in factors for value in factor.reshape(-1).tolist()]
    if tokens.scales is not None or not count or len(flat) % count or not 0 <= index < len(flat) // count:
        return tokens
    elements = len(flat) // count
    return replace(tokens, scales=tuple(flat[index::elements]))
