"""A checked pipeline: it takes one source and gives its items, decoded and transformed, or what went wrong with them.

The host looks at what every stage gives: its class must be what the plugin declared, and values are finite after
decoding (unless ``nan: keep``) and before encoding. Whatever a plugin raises becomes the item's error, never the run's.
"""

from __future__ import annotations

import functools
import math
import os
from collections import Counter
from collections.abc import Callable, Container, Iterator
from itertools import groupby
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm import registry
from tonearm.arrays.values import Extent, extent_of, mean_of, not_finite
from tonearm.config.check import Bound, Checked, Output
from tonearm.config.template import Template
from tonearm.contract import Context, Decoder, Encoder, Item, Plugin, Regroup, Sink, Together, Transform
from tonearm.errors import ItemError, OptionError, OutputError, TonearmError, one_line
from tonearm.ports import ports_of
from tonearm.provenance import provenance_of
from tonearm.registry import Entry, Offer
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
    """

    context: Context
    item: Item[Signal] | None = None
    error: TonearmError | None = None


class Pipeline:
    """A checked pipeline bound to its plugins.

    Parameters
    ----------
    checked
        What `tonearm.config.check` found to be right.
    """

    def __init__(self, checked: Checked) -> None:
        self.checked = checked

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The encoders, each with its template."""
        return self.checked.outputs

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as plugin classes and options, so that whoever loads it imports these and nothing else."""
        checked = self.checked
        outputs = [(_recipe(output.encoder), output.template) for output in checked.outputs]
        steps = [_recipe(step) for step in checked.steps]
        return _rebuilt, (type(self), checked.file, checked.files, _recipe(checked.decoder), steps, outputs)

    def preflight(self) -> None:
        """Let every plugin prepare, before the first of many files.

        Raises
        ------
        TonearmError
            What a plugin finds to be missing.
        """
        for bound in (self.checked.decoder, *self.checked.steps, *(output.encoder for output in self.outputs)):
            with blamed(bound):
                bound.plugin.preflight()

    def convert(self, source: Any) -> Iterator[Signal]:
        """Yield the signals of a source, decoded and transformed; nothing is written.

        Parameters
        ----------
        source
            A path, an open binary file, or an array.

        Raises
        ------
        ItemError
            At the first item that fails.
        """
        for outcome in self._converted(as_source(source), threads=1, on_warning=None):
            if outcome.error:
                raise outcome.error
            if outcome.item:
                yield outcome.item.signal

    def items(
        self,
        source: Source,
        *,
        threads: int = 1,
        on_warning: Callable[[str], None] | None = None,
        skip: Container[tuple[str, int]] = (),
    ) -> Iterator[Outcome]:
        """Yield what becomes of each item of a source: ready to be written, or an error.

        Each was looked at once: its values are finite, and its duration, peak and DC are measured. Items whose key and
        index are in ``skip`` are left out, and not even transformed where no step regroups items.
        """
        last = (self.checked.decoder, *self.checked.steps)[-1]
        for outcome in self._converted(source, threads=threads, on_warning=on_warning, skip=skip):
            if outcome.error or outcome.item is None:
                yield outcome
                continue
            if _is_in(skip, outcome):
                continue
            try:
                with blamed(last):
                    _look_at(outcome.item.signal, outcome.context)
                yield outcome
            except TonearmError as error:
                yield replace(outcome, error=error)

    def _converted(
        self,
        source: Source,
        *,
        threads: int,
        on_warning: Callable[[str], None] | None,
        skip: Container[tuple[str, int]] = (),
    ) -> Iterator[Outcome]:
        """Yield what becomes of each item of a source after the last transform."""
        made = functools.cache(functools.partial(provenance_of, self.checked, source))
        new_context = functools.partial(
            Context, threads=threads, on_warning=on_warning, dialects=self.checked.dialects, provenance=made
        )
        context = new_context()
        stream = decoded(self.checked.decoder, source, context)
        if skip and all(isinstance(step.plugin, Transform) for step in self.checked.steps):
            stream = (outcome for outcome in stream if not _is_in(skip, outcome))
        for step in self.checked.steps:
            if isinstance(step.plugin, Transform):
                stream = _transformed(step, stream)
            else:
                stream = _regrouped(step, stream, new_context())
        return stream

    def encode(self, output: Output, item: Item[Signal], sink: Sink, context: Context) -> None:
        """Write one item that `items` gave.

        Raises
        ------
        ItemError
            If the signal cannot be written.
        OutputError
            If the disk is full, or the folder cannot be written.
        """
        encoder = output.encoder
        with blamed(encoder, sink):
            _check_class(item.signal, encoder.ports.takes, f"{encoder.name} takes", "it was given")
            _plugin(encoder, Encoder).encode(item, sink, context)


_Recipe: TypeAlias = tuple[str, str, str, str, str, type[Plugin[Any]], Any]


def _recipe(bound: Bound) -> _Recipe:
    """Return what a bound plugin is made of."""
    entry = bound.entry
    offer = entry.offer
    return bound.name, entry.name, entry.role, offer.origin, offer.package, type(bound.plugin), bound.plugin.options


def _bound(recipe: _Recipe) -> Bound:
    name, own_name, role, origin, package, plugin, options = recipe
    offer = Offer(origin=origin, load=lambda: None, package=package)
    return Bound(name, Entry(own_name, role, plugin, offer), plugin(options), ports_of(plugin))


def _rebuilt(
    cls: type[Pipeline],
    file: str | None,
    files: tuple[str, ...],
    decoder: _Recipe,
    steps: list[_Recipe],
    outputs: list[tuple[_Recipe, Template]],
) -> Pipeline:
    return cls(
        Checked(
            file=file,
            decoder=_bound(decoder),
            files=files,
            steps=tuple(_bound(step) for step in steps),
            outputs=tuple(Output(_bound(encoder), template) for encoder, template in outputs),
            dialects=lambda: registry.default().dialects,
        )
    )


def _is_in(names: Container[tuple[str, int]], outcome: Outcome) -> bool:
    return outcome.item is not None and (outcome.item.key, outcome.item.index) in names


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
        if error is None or isinstance(error, (TonearmError, KeyboardInterrupt, GeneratorExit)):
            return
        if self.sink and isinstance(error, OSError):
            if _is_of(error, self.sink):
                raise OutputError(f"cannot write: {one_line(error.strerror or error)}") from error
        elif isinstance(error, OSError):
            raise ItemError(f"cannot read: {one_line(error.strerror or error)}", code="unreadable") from error
        if isinstance(error, OptionError):
            # Found only now, because only the data told: what is said of it holds all the same.
            raise ItemError(f"{self.bound.name}: {error.message}", code=error.code, hint=error.hint) from error
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


def as_source(given: Any) -> Source:
    """Return a path, an open binary file or an array as a source."""
    from pathlib import Path

    if isinstance(given, Source):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Source(name=os.fspath(given), path=Path(given))
    if hasattr(given, "__array__"):
        import numpy as np

        return Source(name="<array>", array=np.asarray(given))
    if hasattr(given, "read"):
        return Source(name=str(getattr(given, "name", "<file>")), file=given)
    raise TypeError(f"a source is a path, an open binary file or an array, not {type(given).__name__}")


def _plugin(bound: Bound, role: type[Any]) -> Any:
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
            for item in _plugin(bound, Decoder).decode(source, context):
                count += 1
                if isinstance(item, ItemError):
                    yield Outcome(context=context.hand_over(), error=item)
                    continue
                try:
                    _check_item(item, bound)
                    if policy != "keep":
                        _check_finite(item.signal)
                except ItemError as error:
                    whose = item if isinstance(item, Item) else None
                    yield Outcome(context=context.hand_over(), item=whose, error=error)
                else:
                    yield Outcome(context=context.hand_over(), item=item)
        if not count:
            raise ItemError(f"{bound.name} found nothing in it", code="empty")
    except TonearmError as error:
        yield Outcome(context=context, error=error)


def _transformed(bound: Bound, stream: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield each item transformed; one that fails goes on as its error."""
    for outcome in stream:
        if outcome.error or outcome.item is None:
            yield outcome
            continue
        try:
            _check_class(outcome.item.signal, bound.ports.takes, f"{bound.name} takes", "it was given")
            with blamed(bound):
                signal = _plugin(bound, Transform).apply(outcome.item.signal, outcome.context)
            _check_class(signal, bound.ports.gives, f"{bound.name} gives", "it gave")
            yield replace(outcome, item=replace(outcome.item, signal=signal))
        except TonearmError as error:
            yield replace(outcome, error=error)


def _regrouped(bound: Bound, stream: Iterator[Outcome], context: Context) -> Iterator[Outcome]:
    """Yield new items made from those of a source, group by group; where one of a group failed, so does the group."""
    regroup = _plugin(bound, Regroup)
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
                _check_class(outcome.item.signal, bound.ports.takes, f"{bound.name} takes", "it was given")
                yield outcome.item


def _check_item(item: object, bound: Bound) -> None:
    if not isinstance(item, Item):
        raise ItemError(f"{bound.name} gives items, but it gave {type(item).__name__}", code="wrong-type")
    _check_class(item.signal, bound.ports.gives, f"{bound.name} gives", "it gave")


def _check_class(signal: object, declared: tuple[type[Signal], ...], promise: str, found: str) -> None:
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


def _look_at(signal: Signal, context: Context) -> None:
    """See that all values are finite, and measure what everybody wants to know of a waveform."""
    extent = _check_finite(signal)
    if extent is None or not isinstance(signal, Waveform):
        return
    peak = extent.peak
    context.measure(duration=round(signal.duration, 6), dc=round(mean_of(signal.samples), 6))
    if peak > 0:
        context.measure(peak_db=round(20 * math.log10(peak), 2))
    else:
        context.warn("it is silent")
