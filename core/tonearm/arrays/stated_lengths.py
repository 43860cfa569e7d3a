"""True lengths of a padded batch that a file has beside it: found by name, and used only if its padding agrees."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.errors import ItemError
from tonearm.reading.nearby import end_of_group, letters_of

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_ELEMENTS = 1024
"""Largest number of elements of a batch whose ends are examined."""

_REMEMBERED = 1024  # names
_LENGTHS = re.compile(
    r"(?:^|[^a-z])(?:lens?|lengths?|n_?(?:samples|frames)|num_(?:samples|frames)|sizes?|durations?_samples)(?:$|[^a-z])"
)
"""Pattern of the names, in lower case, of arrays that hold true lengths."""

_PLAIN_NAMES = frozenset(("len", "length", "lens", "lengths"))
_SHORT = 0.05  # of an axis, below which lengths are of another unit
_SETTINGS = re.compile(r"(?:hop|win|window|frame|fft|filter|segment|chunk|batch|max|min)[^a-z]*(?:len|length|size)$")
"""Pattern of names that are settings and not lengths of elements, such as ``hop_length``."""


@functools.lru_cache(_REMEMBERED)
def has_name_of_lengths(key: str) -> bool:
    """Return whether an array may hold true lengths, by its name.

    Examples
    --------
    >>> has_name_of_lengths("a/mel_lengths"), has_name_of_lengths("hop_length")
    (True, False)
    """
    name = key.rpartition("/")[2].lower()
    return _LENGTHS.search(name) is not None and _SETTINGS.search(name) is None


def is_lengths(key: str, array: Array) -> bool:
    """Return whether an array may hold the true lengths of a batch, by its name and its values."""
    return has_name_of_lengths(key) and 2 <= array.size <= MAX_ELEMENTS and _are_whole(array)


def _are_whole(array: Array) -> bool:
    """Return whether an array is one row of whole numbers from 1 up; MATLAB writes them as floats."""
    if array.dtype.kind not in "iuf" or not array.size or array.size != max(array.shape, default=1):
        return False
    return bool(1 <= array.min() <= array.max() < 2**53 and (array % 1 == 0).all())


def lengths_among(arrays: Mapping[str, Array], keys: Sequence[str]) -> dict[str, Array]:
    """Return the arrays of a file that may hold true lengths, by name."""
    found = {}
    for key in keys:
        if not has_name_of_lengths(key):
            continue
        try:
            array = arrays[key]
        except ItemError:
            continue
        if is_lengths(key, array):
            found[key] = array
    return found


def fitting_lengths(array: Array, named: Mapping[str, Array]) -> str | None:
    """Return the name of the array that holds the true lengths of a batch; None if none fits.

    Lengths fit if one axis has an element for each of them, and another is as long as the longest, or holds one and the
    same value behind them.

    Parameters
    ----------
    array
        Array that may be a padded batch.
    named
        Arrays that may hold its lengths, by name.
    """
    return next((name for name, lengths in named.items() if _fits(array, lengths)), None)


def stated_lengths(array: Array, says: Mapping[str, Any], axes: Sequence[str] | None) -> dict[str, Array]:
    """Return the lengths of an array, as ``lengths``, among the numbers beside it; nothing if none fit."""
    numbers = {name: value for name, value in says.items() if has_name_of_lengths(str(name))}
    if not numbers or (axes and "batch" not in axes):
        return {}
    import numpy as np

    named = {name: np.asarray(value) for name, value in numbers.items()}
    found = fitting_lengths(array, named)
    return {} if found is None else {"lengths": named[found]}


def unused_lengths(key: str, array: Array, named: Mapping[str, Array]) -> str | None:
    """Return the name of lengths that seem to be those of an array, behind which there is no padding; None if none is.

    Parameters
    ----------
    key
        Last part of the name of the array.
    array
        Array.
    named
        Arrays that may hold its lengths, by name; none of them fits.
    """
    longest = max(array.shape, default=0)
    for name, lengths in named.items():
        letters = letters_of(name[end_of_group(name) :])
        is_own = letters in _PLAIN_NAMES or (letters_of(key) and letters.startswith(letters_of(key)))
        is_as_many = lengths.size == 1 or lengths.size in array.shape[:-1]
        if is_own and is_as_many and _are_whole(lengths) and _SHORT * longest <= lengths.max() < longest:
            return name
    return None


def _fits(array: Array, lengths: Array) -> bool:
    """Return whether the numbers of an array may be the lengths of another."""
    if getattr(array, "ndim", 0) < 1 or not _are_whole(lengths) or lengths.size > MAX_ELEMENTS:
        return False
    ends = [int(one) for one in lengths.flat]
    single = len(ends) == 1
    if single and array.ndim == 1:
        array = array[None]
    for batch in [0] if single else [axis for axis, size in enumerate(array.shape) if size == len(ends)]:
        if array.shape[batch] != len(ends):
            continue
        for along in range(array.ndim):
            size = array.shape[along]
            if along == batch or max(ends) > size:
                continue
            if (max(ends) == size and not single) or _is_padding(array, batch, along, ends):
                return True
    return False


def _is_padding(array: Array, batch: int, along: int, ends: Sequence[int]) -> bool:
    """Return whether lengths end before their axis does, and one and the same value is behind all of them."""
    import numpy as np

    moved = np.moveaxis(array, (batch, along), (0, -1))
    found: set[Any] = set()
    for element, end in zip(moved, ends, strict=True):
        behind = element[..., end:]
        if behind.size:
            found |= {behind.min().item(), behind.max().item()}
        if len(found) > 1:
            return False
    return bool(found)
