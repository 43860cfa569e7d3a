"""The outcome of a stage for one item, which the next stage takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from tonearm.arrays.extent import Extent
from tonearm.errors import TonearmError
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.signals import Signal


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of a stage for one item: the item, or an error.

    Parameters
    ----------
    context
        Context with all measurements and warnings so far.
    item
        Item; None if the stage failed before there was one.
    error
        Error; None if the item is fine.
    extent
        Extent of the signal's values, if known since the last plugin.
    may_have_nan
        Whether values that are not finite have come from the decoder, which was asked to keep them, and no step since
        then has given finite ones.
    unchecked
        Stages since the last check for NaN, each with the signal that it gave. They are searched when NaN turns up.
    counts
        Number of items so far for each step of an output that regroups, by the path of the step and the key of the
        items; shared by the items of a source.
    search
        Function that returns the error of the decoder's values, if it has left their search to the first step; else
        None.
    deferred
        Steps that wait until the file is written, and are left out before; None if none waits.
    """

    context: Context
    item: Item[Signal] | None = None
    error: TonearmError | None = None
    extent: Extent | None = None
    may_have_nan: bool = False
    unchecked: tuple[tuple[BoundPlugin, Signal], ...] = ()
    search: Callable[[], TonearmError | None] | None = None
    counts: dict[str, Counter[str]] = {}
    deferred: tuple[BoundPlugin, ...] | None = None
