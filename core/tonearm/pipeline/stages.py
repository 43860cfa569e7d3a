"""The stages of a pipeline: what each gives is looked at, and what a plugin raises becomes its item's error.

The class of what a stage gives must be what the plugin declared, and values are finite after decoding (unless
``nan: keep``) and before encoding. No plugin's error is ever the run's.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tonearm.arrays.values import Extent, extent_of, mean_of, not_finite
from tonearm.errors import ItemError, OptionError, OutputError, TonearmError, one_line
from tonearm.pipeline.check import Bound
from tonearm.plugins.context import Context
from tonearm.plugins.contract import Decoder, Plugin, Regroup, Together, Transform
from tonearm.plugins.item import Item
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal, Waveform, describe
from tonearm.source import Source


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one item on its way: the item, or an error.

    Parameters
    ----------
    context
        With the measurements and warnings so far.
    item
        None if it failed before there was one.
    error
        None if all is well.
    extent
        Of the signal's values, if somebody has looked at them since a plugin had it.
    """

    context: Context
    item: Item[Signal] | None = None
    error: TonearmError | None = None
    extent: Extent | None = None


class blamed:  # noqa: N801 - used as a statement
    """Turn whatever a plugin raises into an `ItemError` that names the plugin; what is a `TonearmError` goes through.

    Parameters
    ----------
    bound
        The plugin.
    sink
        Where it writes: what the operating system says of that is the output side's.
    """

    def __init__(self, bound: Bound, sink: Sink | None = None) -> None:
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
            # Found only now, because only the data told: what is said of it holds all the same.
            failed = ItemError(f"{self.bound.name}: {error.message}", code=error.code, remedies=error.remedies)
            failed.place = self.bound.place
            raise failed from error
        raise ItemError(
            f"{self.bound.name} failed: {type(error).__name__}: {one_line(error)}",
            code="plugin-failed",
            hint="--debug shows where",
        ) from error


def _is_of(error: OSError, sink: Sink) -> bool:
    """Say whether an error is one of writing the output: not of another file, and not of another process."""
    if isinstance(error, (BlockingIOError, ChildProcessError, ConnectionError, ProcessLookupError, TimeoutError)):
        return False
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    folder = os.path.dirname(os.path.abspath(sink.path))  # noqa: PTH100, PTH120
    return not names or any(os.path.dirname(os.path.abspath(name)) == folder for name in names)  # noqa: PTH100, PTH120


def plugin_of(bound: Bound, role: type[Any]) -> Any:
    """Return the plugin of a stage, as typed loosely as it must be: ports are known at run time only."""
    plugin: Plugin[Any] = bound.plugin
    if not isinstance(plugin, role):
        raise TypeError(f"{bound.name} is no {role.__name__}")
    return plugin


def decoded(bound: Bound, source: Source, context: Context) -> Iterator[Outcome]:
    """Yield the items of a source; what goes wrong ends it."""
    policy = getattr(bound.plugin.options, "nan", "error")
    count = 0
    try:
        with blamed(bound):
            for item in plugin_of(bound, Decoder).decode(source, context):
                count += 1
                if isinstance(item, ItemError):
                    item.place = bound.place
                    yield Outcome(context=context.hand_over(), error=item)
                    continue
                try:
                    _check_item(item, bound)
                    extent = None if policy == "keep" else _check_finite(item.signal)
                except ItemError as error:
                    whose = item if isinstance(item, Item) else None
                    yield Outcome(context=context.hand_over(), item=whose, error=error)
                else:
                    yield Outcome(context=context.hand_over(), item=item, extent=extent)
        if not count:
            raise ItemError(f"{bound.name} found nothing in it", code="empty")
    except TonearmError as error:
        yield Outcome(context=context, error=error)


def transformed(bound: Bound, stream: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield each item transformed; one that fails goes on as its error."""
    for outcome in stream:
        if outcome.error or outcome.item is None:
            yield outcome
            continue
        try:
            check_class(outcome.item.signal, bound.ports.takes, f"{bound.name} takes", "it was given")
            with blamed(bound):
                signal = plugin_of(bound, Transform).apply(outcome.item.signal, outcome.context)
            check_class(signal, bound.ports.gives, f"{bound.name} gives", "it gave")
            yield Outcome(context=outcome.context, item=replace(outcome.item, signal=signal))
        except TonearmError as error:
            yield replace(outcome, error=error)


def regrouped(bound: Bound, stream: Iterator[Outcome], context: Context) -> Iterator[Outcome]:
    """Yield new items made from those of a source, group by group; where one of a group failed, so does the group."""
    regroup = plugin_of(bound, Regroup)
    counts: Counter[str] = Counter()
    for group in _groups(stream, regroup.together()):
        given = _Given(bound, group, context)
        before = counts.total()
        try:
            with blamed(bound):
                for item in regroup.regroup(iter(given), context):
                    _check_item(item, bound)
                    yield Outcome(context=context.hand_over(), item=replace(item, index=counts[item.key]))
                    counts[item.key] += 1
            if counts.total() == before:
                raise ItemError(f"{bound.name} gave nothing", code="empty")
        except TonearmError as error:
            yield Outcome(context=context.hand_over(), item=given.failed, error=error)


def _groups(stream: Iterator[Outcome], together: Together) -> Iterator[Iterator[Outcome]]:
    """Cut the items of a source into groups, none of which is held in memory."""
    if together == "source":
        yield stream
        return
    by_key = together == "key"
    # What failed before it had a key is a group of its own: an object is equal to itself alone.
    groups = groupby(stream, lambda outcome: outcome.item.key if by_key and outcome.item else object())
    for _, group in groups:
        yield group


class _Given:
    """The items of a group, as a regrouping plugin gets them; the first that failed ends them.

    Attributes
    ----------
    failed
        That item, if it had come so far.
    """

    def __init__(self, bound: Bound, group: Iterator[Outcome], context: Context) -> None:
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


def _check_item(item: object, bound: Bound) -> None:
    if not isinstance(item, Item):
        raise ItemError(f"{bound.name} gives items, but it gave {type(item).__name__}", code="wrong-type")
    check_class(item.signal, bound.ports.gives, f"{bound.name} gives", "it gave")


def check_class(signal: object, declared: tuple[type[Signal], ...], promise: str, found: str) -> None:
    """Raise `ItemError` unless a signal is of a declared class; the message begins with who promised it."""
    if not isinstance(signal, declared):
        what = describe(signal) if isinstance(signal, Signal) else type(signal).__name__
        ports = " or ".join(cls.port for cls in declared)
        raise ItemError(f"{promise} {ports}, but {found} {what}", code="wrong-type")


def _check_finite(signal: Signal) -> Extent | None:
    """Raise `ItemError` if a value is NaN or infinite; return the extent of all, if there are any."""
    arrays = signal.arrays()
    if not arrays:
        return None
    extent = extent_of(*arrays)
    if not extent.finite:
        raise not_finite(next(array for array in arrays if not extent_of(array).finite), signal.port)
    return extent


def look_at(signal: Signal, context: Context, extent: Extent | None) -> None:
    """See that all values are finite, and measure what everybody wants to know of a waveform."""
    extent = extent or _check_finite(signal)
    if extent is None or not isinstance(signal, Waveform):
        return
    peak = extent.peak
    context.measure(duration=round(signal.duration, 6), dc=round(mean_of(signal.samples, peak), 6))
    if peak > 0:
        context.measure(peak_db=round(20 * math.log10(peak), 2))
    else:
        context.warn("it is silent")
