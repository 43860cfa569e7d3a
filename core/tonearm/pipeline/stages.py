"""The execution of stages: the host checks the results of plugins, and turns their exceptions into errors of items.

Results must be what the plugin declares, and their values must be finite. Under ``nan: keep``, the decoder may give
NaN, which is refused before the encoders. An exception of a plugin never ends a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tonearm.arrays.extent import Extent, extent_of
from tonearm.errors import ItemError, TonearmError
from tonearm.names import BUILTIN
from tonearm.pipeline.answers import as_grouping
from tonearm.pipeline.blame import as_item_error, placed
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.limit_checks import DEFAULT_CHECKS, LimitChecks, may_be_tried
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.signal_checks import (
    check_finite,
    check_given,
    check_item,
    check_kept,
    check_signal_in_memory,
    check_taken,
    gives_finite,
    is_finite,
    not_finite_of,
)
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.transform import Grouping, Regroup, Transform
from tonearm.reading.compressed_sources import inflated_source
from tonearm.reading.memory import limited_memory
from tonearm.signals import Signal, Waveform
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.typing import Array


class read_only:  # noqa: N801 - used as a statement
    """Make shared arrays read-only within a block: a plugin that writes into one fails."""

    def __init__(self, arrays: Iterable[Array]) -> None:
        self._arrays = [array for array in arrays if array.flags.writeable]

    def __enter__(self) -> None:
        for array in self._arrays:
            array.flags.writeable = False

    def __exit__(self, *_: object) -> None:
        for array in self._arrays:
            array.flags.writeable = True


def plugin_as(bound: BoundPlugin, role: type[Any]) -> Any:
    """Return the plugin of a stage as Any, because its ports are known at run time only."""
    plugin: Plugin[Any] = bound.plugin
    if not isinstance(plugin, role):
        raise TypeError(f"{bound.name} is not a {role.__name__}")
    return plugin


_BEYOND_DOUBT = 1e6
"""Peak of a waveform above which the values that it was made of are searched after all: they may be beyond range."""

_END: Any = object()
"""Mark for the end of a plugin's items."""


def decode_items(
    bound: BoundPlugin,
    source: Source,
    context: Context,
    *,
    measured: bool = True,
    leaves_search: bool = False,
    limits: LimitChecks = DEFAULT_CHECKS,
) -> Iterator[Outcome]:
    """Yield the items of a source; an error ends the source.

    Parameters
    ----------
    bound
        Decoder.
    source
        Source.
    context
        Context of the source.
    measured
        Whether `measure_items` gets the signals next, so that their extent is worth keeping.
    leaves_search
        Whether the decoder may leave it to the first step to search its values for NaN and infinity.
    limits
        Limits, with the memory that the source may take, and the checks by them: of doubtful recipes.
    """
    memory = int(limits.limits.memory)
    keeps = getattr(bound.plugin.options, "nan", "error") == "keep"
    given = source.signal
    known = Waveform if given is None and gives_finite(bound) else None
    count = 0
    context.may_leave_search = leaves_search
    try:
        with as_item_error(bound, source=source, context=context), limited_memory(memory):
            decoder = plugin_as(bound, Decoder)
            items = (
                iter(decoder.decode(inflated_source(source, type(decoder).suffixes), context))
                if given is None
                else iter((Item(signal=given),))
            )
        while True:
            with as_item_error(bound, source=source, context=context), limited_memory(memory):
                item = next(items, _END)
            if item is _END:
                break
            count += 1
            check = check_item if given is None else check_signal_in_memory
            found = _decoded(item, bound, context.drain(), check, keeps=keeps, measured=measured, known=known)
            if found.context.is_unsearched and found.error is None:
                found = replace(found, search=partial(_error_of_values, bound, source, context, count - 1, limits))
            yield limits.checked_doubts(found, bound) if found.context.doubts else found
            del item  # frees its memory before the next item is made
        if not count:
            raise placed(ItemError(f"{bound.name} found nothing in it", code="empty"), bound)
    except TonearmError as error:
        if not count and may_be_tried(error, bound):
            from tonearm.pipeline.item_trials import try_on_source  # not at the top: most runs have no such error

            with limited_memory(memory):
                try_on_source(error, bound, source)
        yield Outcome(context=context, error=error)


def _decoded(
    item: Any,
    bound: BoundPlugin,
    context: Context,
    check: Callable[[Any, BoundPlugin], None],
    *,
    keeps: bool,
    measured: bool,
    known: type[Signal] | None,
) -> Outcome:
    """Return the outcome of an item that a decoder has yielded.

    Parameters
    ----------
    item
        Item, `ItemError`, or anything else that a faulty decoder yields.
    bound
        Decoder.
    context
        Context of the item.
    check
        Function that raises `ItemError` unless the item is what it should be.
    keeps
        Whether NaN and infinity are kept, as the options ask for.
    measured
        Whether `measure_items` gets the signal next, so that its extent is worth keeping.
    known
        Class of the signals that are known to be finite; None if there is none.
    """
    try:
        with as_item_error(bound):
            if isinstance(item, ItemError):
                raise item
            check(item, bound)
            if context.is_unsearched:
                return Outcome(context=context, item=item)
            if keeps:
                return Outcome(context=context, item=item, may_have_nan=not is_finite(item.signal))
            if measured:
                return Outcome(context=context, item=item, extent=check_finite(item.signal))
            if type(item.signal) is not known and not is_finite(item.signal):
                check_finite(item.signal)
            return Outcome(context=context, item=item)
    except ItemError as error:
        return Outcome(context=context, item=item if isinstance(item, Item) else None, error=error)


def _error_of_values(
    bound: BoundPlugin, source: Source, context: Context, number: int, limits: LimitChecks
) -> TonearmError | None:
    """Return the error of an item, by its number, whose values are searched this time; None if there is none."""
    own = Context(threads=context.threads, catalogue=context.catalogue, provenance=context.provenance, source=source)
    found = next(islice(decode_items(bound, source, own, limits=limits), number, None), None)
    return None if found is None else found.error


def transform_items(
    bound: BoundPlugin, stream: Iterator[Outcome], *, measured: bool = False, limits: LimitChecks = DEFAULT_CHECKS
) -> Iterator[Outcome]:
    """Yield each item transformed, or its error.

    The signals of a step of another package are searched for NaN at once. Those of built-in steps are searched when NaN
    turns up or another step fails, because a pass over the samples may take as long as a step.

    Parameters
    ----------
    bound
        Transform.
    stream
        Outcomes of the stage before.
    measured
        Whether `measure_items` gets the signals next, which searches them for NaN.
    limits
        Checks by the limits: of the scale of waveforms that are made of other signals.
    """
    checks = not measured and bound.entry.origin != BUILTIN
    keeps_all = type(plugin_as(bound, Transform)).produces is Transform.produces
    for outcome in stream:
        if outcome.error or outcome.item is None or outcome.deferred is not None:
            yield outcome
            continue
        signal: Signal = outcome.item.signal
        try:
            check_taken(outcome.item.signal, bound)
            with as_item_error(bound, context=outcome.context):
                signal = plugin_as(bound, Transform).apply(outcome.item.signal, outcome.context)
                check_given(signal, bound)
                if keeps_all:
                    check_kept(signal, outcome.item.signal, bound)
                if checks and not (outcome.may_have_nan or is_finite(signal)):
                    raise not_finite_of(bound, signal)
            extent = _inverted_extent(outcome.item.signal, signal, bound, outcome.context, limits)
            if outcome.search and (extent is None or extent.peak > _BEYOND_DOUBT) and (found := outcome.search()):
                raise found
            outcome.context.is_unsearched = False
            yield Outcome(
                context=outcome.context,
                item=replace(outcome.item, signal=signal),
                extent=extent,
                may_have_nan=outcome.may_have_nan and not is_finite(signal),  # a step may have repaired it
                unchecked=() if checks or outcome.may_have_nan else (*outcome.unchecked, (bound, signal)),
            )
        except TonearmError as error:
            if outcome.search and (of_values := outcome.search()):
                yield replace(outcome, error=of_values, search=None)
                continue
            if may_be_tried(error, bound):
                from tonearm.pipeline.item_trials import try_on_signal  # not at the top: most runs have no such error

                try_on_signal(error, bound, outcome.item.signal)
            # A limit refuses what the step gave, and a step what it was given.
            refused = (
                replace(outcome.item, signal=signal)
                if error.code in ("beyond-full-scale", "too-quiet")
                else outcome.item
            )
            yield replace(outcome, item=refused, error=nan_among(outcome.unchecked) or error, unchecked=())


def regroup_items(
    bound: BoundPlugin,
    stream: Iterator[Outcome],
    context: Context,
    counts: Counter[str],
    *,
    measured: bool = False,
    limits: LimitChecks = DEFAULT_CHECKS,
) -> Iterator[Outcome]:
    """Yield the regrouped items of a source, group by group; if one item fails, its group fails.

    Parameters
    ----------
    bound
        Regrouping plugin.
    stream
        Outcomes of the stage before.
    context
        Context of the source.
    counts
        Number of items so far by key, from which new items get their index.
    measured
        Whether `measure_items` gets the signals next, which searches them for NaN.
    limits
        Checks by the limits: of the scale of waveforms that are made of other signals.
    """
    regroup = plugin_as(bound, Regroup)
    try:
        with as_item_error(bound):
            grouping = as_grouping(regroup.grouping())
    except TonearmError as error:
        yield Outcome(context=context, error=error)
        return
    for group in _groups(stream, grouping):
        given = _Group(bound, group, context)
        before = counts.total()
        try:
            with as_item_error(bound, context=context):
                items = iter(regroup.regroup(iter(given), context))
            while True:
                with as_item_error(bound, context=context):
                    item = next(items, _END)
                    if item is _END:
                        break
                    check_item(item, bound)
                    if not (measured or given.may_have_nan or is_finite(item.signal)):
                        raise not_finite_of(bound, item.signal)
                    item = replace(item, index=counts[item.key])
                may_have_nan = given.may_have_nan and not is_finite(item.signal)
                extent = _inverted_extent(given.last, item.signal, bound, context, limits)
                yield Outcome(context=context.drain(), item=item, extent=extent, may_have_nan=may_have_nan)
                counts[item.key] += 1
                del item  # frees its memory before the next item is made
            if counts.total() == before:
                raise placed(ItemError(f"{bound.name} gave nothing", code="empty"), bound)
        except TonearmError as error:
            yield Outcome(context=context.drain(), item=given.failed, error=error)


def _groups(stream: Iterator[Outcome], grouping: Grouping) -> Iterator[Iterator[Outcome]]:
    """Yield the groups of a source's items, without holding them in memory."""
    if grouping == "source":
        yield stream
        return
    by_key = grouping == "key"
    # An item that failed before it had a key is a group of its own: a new object equals no other.
    groups = groupby(stream, lambda outcome: outcome.item.key if by_key and outcome.item else object())
    for _, group in groups:
        yield group


class _Group:
    """The items of a group for a regrouping plugin; an item that failed raises its error.

    Attributes
    ----------
    failed
        Item that failed, if there was one.
    last
        Signal of the last item so far; None before the first.
    may_have_nan
        Whether one of the items so far may have NaN.
    """

    def __init__(self, bound: BoundPlugin, group: Iterator[Outcome], context: Context) -> None:
        self.failed: Item[Signal] | None = None
        self.last: Signal | None = None
        self.may_have_nan = False
        self._bound, self._group, self._context = bound, group, context

    def __iter__(self) -> Iterator[Item[Signal]]:
        bound, context = self._bound, self._context
        for outcome in self._group:
            context.measurements.update(outcome.context.measurements)
            context.warnings.extend(outcome.context.warnings)
            if outcome.error:
                self.failed = outcome.item
                raise outcome.error
            if outcome.item:
                check_taken(outcome.item.signal, bound)
                self.may_have_nan |= outcome.may_have_nan
                if outcome.unchecked and not (outcome.may_have_nan or is_finite(outcome.item.signal)):
                    self.failed = outcome.item
                    raise nan_among(outcome.unchecked) or not_finite_of(bound, outcome.item.signal)
                self.last = outcome.item.signal
                yield outcome.item


def _inverted_extent(
    before: Signal | None, signal: Signal, bound: BoundPlugin, context: Context, limits: LimitChecks
) -> Extent | None:
    """Return the extent of a waveform that was made of another signal, after a check of its scale; else None.

    An extent that is not finite is not returned, so that whoever needs it finds the stage that gave NaN.
    """
    if not isinstance(signal, Waveform) or before is None or isinstance(before, Waveform):
        return None
    found, context.peak = context.peak, None
    extent = extent_of(signal.samples) if found is None else Extent(-found, found)
    limits.check_inverted(extent, bound, context, before)
    return extent if extent.finite else None


def nan_among(stages: tuple[tuple[BoundPlugin, Signal], ...]) -> ItemError | None:
    """Return the error of the first of some stages that gave NaN; None if all signals are finite."""
    found = next(((bound, signal) for bound, signal in stages if not is_finite(signal)), None)
    return None if found is None else not_finite_of(*found)


def check_result(outcome: Outcome, last: BoundPlugin) -> None:
    """Raise `ItemError` if the signal of the last stage has NaN or infinity that the decoder was not asked to keep."""
    is_known = outcome.extent is not None and outcome.extent.finite
    if outcome.item is None or outcome.may_have_nan or is_known or is_finite(outcome.item.signal):
        return
    raise nan_among(outcome.unchecked) or not_finite_of(last, outcome.item.signal)
