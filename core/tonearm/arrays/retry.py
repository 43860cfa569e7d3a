"""Reading of an array once more, with other options, to try the remedies of an error before they are shown."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tonearm.arrays.read import read_array
from tonearm.arrays.stated import rate_among, with_stated
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.signals import Signal

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_VALUES = 1 << 22
"""Number of values above which the longest axis of an array is cut for a trial."""

MIN_CUT = 1 << 15
"""Number of values of the longest axis that a trial keeps: no axis of bins is so long."""

MAX_INDEX = 16
"""Number of elements of a batch, counted from the first, whose errors have remedies that are tried."""


def retryable(
    error: ItemError,
    array: Array,
    index: int,
    context: Context,
    companions: Mapping[str, Array],
    says: Mapping[str, Any] = MappingProxyType({}),
) -> ItemError:
    """Return an error with the function that reads its array again.

    Parameters
    ----------
    error
        Error of an element of the array.
    array
        Array that could not be read.
    index
        Index of the element along the batch axis.
    context
        Context of the item; its catalogue is used, and nothing is recorded in it.
    companions
        Arrays that belong to it, as for `read_array`.
    says
        What the file says about the array, by name, such as its ``sample_rate``.
    """
    if error.remedies and index < MAX_INDEX:
        error.retry = functools.partial(_read_again, array, index, context.catalogue, companions, says)
    return error


def _read_again(
    array: Array,
    index: int,
    catalogue: Any,
    companions: Mapping[str, Array],
    says: Mapping[str, Any],
    options: Any,
) -> Signal:
    """Return the signal of an element of an array, of which only a part is read if it is large.

    Raises
    ------
    ItemError
        If it cannot be read with these options either.
    """
    companions = {name: one for name, one in companions.items() if getattr(options, name, name) is not None}
    if not companions:
        array = _part(array)
    options = with_stated(options, rate_among(says))
    found = read_array(array, options, Context(catalogue=catalogue), **companions)
    signal = next(itertools.islice(found, index, None), None)
    if signal is None:
        raise ItemError("the array has no such element", code="empty")
    if isinstance(signal, ItemError):
        raise signal
    return signal


def _part(array: Array) -> Array:
    """Return the start of an array along its longest axis."""
    if array.size <= MAX_VALUES:
        return array
    longest = max(range(array.ndim), key=lambda axis: array.shape[axis])
    kept = max(MIN_CUT, array.shape[longest] * MAX_VALUES // array.size)
    return array[(slice(None),) * longest + (slice(kept),)]
