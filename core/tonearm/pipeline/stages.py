"""The execution of stages: the host checks the results of plugins, and turns their exceptions into errors of items.

Results must have the class that the plugin declares. Values must be finite after decoding (unless ``nan: keep``) and
before encoding. An exception of a plugin never ends a run.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from tonearm.arrays.extent import Extent, extent_of, mean_of
from tonearm.arrays.not_finite import not_finite_error
from tonearm.errors import ItemError, OptionError, OutputError, TonearmError, one_line
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Grouping, Regroup, Transform
from tonearm.signals import Signal, Waveform, describe
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.typing import Array


class read_only:  # noqa: N801 - used as a statement
    """Let nobody write into arrays that others share: a plugin that tries fails."""

    def __init__(self, arrays: Iterable[Array]) -> None:
        self._arrays = [array for array in arrays if array.flags.writeable]

    def __enter__(self) -> None:
        for array in self._arrays:
            array.flags.writeable = False

    def __exit__(self, *_: object) -> None:
        for array in self._arrays:
            array.flags.writeable = True


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
    counts
        Number of items so far for each step of an output that regroups, by the path of the step and the key of the
        items; shared by the items of a source.
    """

    context: Context
    item: Item[Signal] | None = None
    error: TonearmError | None = None
    extent: Extent | None = None
    counts: dict[str, Counter[str]] = {}


class as_item_error:  # noqa: N801 - used as a statement
    """Turn every exception of a plugin into an `ItemError` that names the plugin; a `TonearmError` passes through.

    Parameters
    ----------
    bound
        Plugin that runs.
    sink
        Sink of an encoder; errors of the operating system about it become an `OutputError`.
    """

    def __init__(self, bound: BoundPlugin, sink: Sink | None = None) -> None:
        self.bound = bound
        self.sink = sink

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TonearmError) and not error.place.stage:
            error.place = self.bound.place
        if error is None or isinstance(error, (TonearmError, KeyboardInterrupt, GeneratorExit)):
            return
        if self.sink and isinstance(error, OSError):
            if _is_of(error, self.sink):
                raise OutputError(f"cannot write: {one_line(error.strerror or error)}") from error
        elif isinstance(error, OSError):
            raise ItemError(f"cannot read: {one_line(error.strerror or error)}", code="unreadable") from error
        if isinstance(error, OptionError):
            # An option that only the data can contradict.
            failed = ItemError(f"{self.bound.name}: {error.message}", code=error.code, remedies=error.remedies)
            failed.place = self.bound.place
            raise failed from error
        raise ItemError(
            f"{self.bound.name} failed: {type(error).__name__}: {one_line(error)}",
            code="plugin-failed",
            hint="--debug shows where",
        ) from error


def _is_of(error: OSError, sink: Sink) -> bool:
    """Return whether an error concerns the output, not another file or another process."""
    if isinstance(error, (BlockingIOError, ChildProcessError, ConnectionError, ProcessLookupError, TimeoutError)):
        return False
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    folder = os.path.dirname(os.path.abspath(sink.path))  # noqa: PTH100, PTH120
    return not names or any(os.path.dirname(os.path.abspath(name)) == folder for name in names)  # noqa: PTH100, PTH120


def plugin_as(bound: BoundPlugin, role: type[Any]) -> Any:
    """Return the plugin of a stage as Any, because its ports are known at run time only."""
    plugin: Plugin[Any] = bound.plugin
    if not isinstance(plugin, role):
        raise TypeError(f"{bound.name} is not a {role.__name__}")
    return plugin


def decode_items(bound: BoundPlugin, source: Source, context: Context) -> Iterator[Outcome]:
    """Yield the items of a source; an error ends the source."""
    policy = getattr(bound.plugin.options, "nan", "error")
    count = 0
    try:
        with as_item_error(bound):
            for item in plugin_as(bound, Decoder).decode(source, context):
                count += 1
                if isinstance(item, ItemError):
                    item.place = bound.place
                    yield Outcome(context=context.drain(), error=item)
                    continue
                try:
                    _check_item(item, bound)
                    extent = None if policy == "keep" else _check_finite(item.signal)
                except ItemError as error:
                    whose = item if isinstance(item, Item) else None
                    yield Outcome(context=context.drain(), item=whose, error=error)
                else:
                    yield Outcome(context=context.drain(), item=item, extent=extent)
        if not count:
            raise ItemError(f"{bound.name} found nothing in it", code="empty")
    except TonearmError as error:
        yield Outcome(context=context, error=error)


def transform_items(bound: BoundPlugin, stream: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield each item transformed, or its error."""
    for outcome in stream:
        if outcome.error or outcome.item is None:
            yield outcome
            continue
        try:
            check_class(outcome.item.signal, bound.ports.takes, f"{bound.name} takes", "it was given")
            with as_item_error(bound):
                signal = plugin_as(bound, Transform).apply(outcome.item.signal, outcome.context)
            check_class(signal, bound.ports.gives, f"{bound.name} gives", "it gave")
            yield Outcome(context=outcome.context, item=replace(outcome.item, signal=signal))
        except TonearmError as error:
            yield replace(outcome, error=error)


def regroup_items(
    bound: BoundPlugin, stream: Iterator[Outcome], context: Context, counts: Counter[str]
) -> Iterator[Outcome]:
    """Yield the regrouped items of a source, group by group; if one item fails, its group fails.

    ``counts`` has the number of items so far by key, and numbers the new ones.
    """
    regroup = plugin_as(bound, Regroup)
    for group in _groups(stream, regroup.grouping()):
        items = _Group(bound, group, context)
        before = counts.total()
        try:
            with as_item_error(bound):
                for item in regroup.regroup(iter(items), context):
                    _check_item(item, bound)
                    yield Outcome(context=context.drain(), item=replace(item, index=counts[item.key]))
                    counts[item.key] += 1
            if counts.total() == before:
                raise ItemError(f"{bound.name} gave nothing", code="empty")
        except TonearmError as error:
            yield Outcome(context=context.drain(), item=items.failed, error=error)


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
    """

    def __init__(self, bound: BoundPlugin, group: Iterator[Outcome], context: Context) -> None:
        self.failed: Item[Signal] | None = None
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
                check_class(outcome.item.signal, bound.ports.takes, f"{bound.name} takes", "it was given")
                yield outcome.item


def _check_item(item: object, bound: BoundPlugin) -> None:
    if not isinstance(item, Item):
        raise ItemError(f"{bound.name} gives items, but it gave {type(item).__name__}", code="wrong-type")
    check_class(item.signal, bound.ports.gives, f"{bound.name} gives", "it gave")


def check_class(signal: object, declared: tuple[type[Signal], ...], promise: str, found: str) -> None:
    """Raise `ItemError` unless a signal has one of the declared classes; ``promise`` begins the message."""
    if not isinstance(signal, declared):
        what = describe(signal) if isinstance(signal, Signal) else type(signal).__name__
        ports = " or ".join(cls.port for cls in declared)
        raise ItemError(f"{promise} {ports}, but {found} {what}", code="wrong-type")


def _check_finite(signal: Signal) -> Extent | None:
    """Return the extent of a signal's values, or raise `ItemError` if one is NaN or infinite."""
    arrays = signal.arrays()
    if not arrays:
        return None
    extent = extent_of(*arrays)
    if not extent.finite:
        raise not_finite_error(next(array for array in arrays if not extent_of(array).finite), signal.port)
    return extent


HOST_MEASUREMENTS = ("duration", "dc", "peak_db")
"""Names of what `measure_signal` measures."""


def measure_signal(signal: Signal, context: Context, extent: Extent | None) -> None:
    """Check that all values are finite, and measure duration, DC and peak of a waveform."""
    extent = extent or _check_finite(signal)
    if extent is None or not isinstance(signal, Waveform):
        return
    peak = extent.peak
    context.measure(duration=round(signal.duration, 6), dc=round(mean_of(signal.samples, peak), 6))
    if peak > 0:
        context.measure(peak_db=round(20 * math.log10(peak), 2))
    else:
        context.warn("the waveform is silent")
