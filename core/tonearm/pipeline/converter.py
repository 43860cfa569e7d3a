"""The conversion of one source by a checked pipeline: its items decoded and transformed, and encoded."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from tonearm.errors import ItemError
from tonearm.errors.short_errors import short_errors
from tonearm.errors.text import item_name
from tonearm.errors.warning import warn
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline, Output
from tonearm.pipeline.deferred import deferred_items, deferring, write_deferred
from tonearm.pipeline.limit_checks import LimitChecks, may_be_tried
from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.measuring import HOST_MEASUREMENTS, measure_items
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.plugin_state import PluginState, plugin_state, plugin_states, restored_stage
from tonearm.pipeline.provenance import fingerprints_of, provenance_of, stages_of, without_folders
from tonearm.pipeline.signal_checks import check_taken
from tonearm.pipeline.stages import check_result, decode_items, plugin_as, read_only, regroup_items, transform_items
from tonearm.pipeline.templates import Template
from tonearm.plugins import registry
from tonearm.plugins.context import Context, Provenance
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.nested import nested_plugins
from tonearm.plugins.progress import Progress, Reporter
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Regroup, Transform
from tonearm.reporting import reporting
from tonearm.signals import Signal, Waveform
from tonearm.source import Source


class Converter:
    """A checked pipeline that can convert sources.

    Parameters
    ----------
    checked
        Result of `tonearm.pipeline.check.check`.
    """

    def __init__(self, checked: CheckedPipeline) -> None:
        self.checked = checked

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Encoders, each with its template."""
        return self.checked.outputs

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle plugin classes and options only, so that loading imports nothing else."""
        checked = self.checked
        outputs = [
            (plugin_state(output.encoder), output.template, plugin_states(output.steps)) for output in self.outputs
        ]
        decoder, steps = plugin_state(checked.decoder), plugin_states(checked.steps)
        return _restored_converter, (
            *(type(self), checked.file, checked.files, decoder, steps, outputs, checked.limits),
        )

    def __repr__(self) -> str:
        from tonearm.pipeline.chain import chain_text

        return f"<{type(self).__name__} {chain_text(self.checked)}>"

    def _repr_html_(self) -> str:
        """Return the chain of plugins for notebooks, with the signals between them and the options that are set."""
        from tonearm.pipeline.chain import chain_html

        return chain_html(self.checked)

    @property
    def _takes_rows(self) -> bool:
        """Whether a source may be a list with rows of different lengths, as the kind of the decoder says."""
        kind = getattr(getattr(self.checked.decoder.plugin, "options", None), "read_kind", None)
        return kind is not None and kind.takes_rows

    @short_errors
    def preflight(self) -> None:
        """Let every plugin prepare before the first source.

        Raises
        ------
        TonearmError
            If a plugin finds that anything is missing.
        """
        for bound in self.checked.stages():
            for plugin in nested_plugins(bound.plugin):
                with as_item_error(replace(bound, name=f"{bound.name}: {plugin.registered.name}")):
                    plugin.preflight()
            with as_item_error(bound):
                bound.plugin.preflight()

    @short_errors
    def convert(self, source: Any, *, progress: bool | Callable[[Progress], object] = False) -> Iterator[Signal]:
        """Yield the signals of a source, decoded and transformed by the shared steps, without writing anything.

        Warnings about an item are given as `TonearmWarning`, each with the name of the source and of the item.

        Parameters
        ----------
        source
            Path, open binary file, list of numbers, array, tensor of any library, mapping of these with their names,
            pair of an array and its sample rate, or signal. What stands beside an array in a mapping describes it, as
            in a file: ``{"mel": …, "lengths": …}``. A signal is taken as it is, in place of what the decoder gives; its
            sample rate must be that of the decoder's options.
        progress
            Whether to draw a bar on stderr, where that is a terminal or a notebook; or a function that is called with
            each `Progress`. What it raises ends the conversion.

        Raises
        ------
        UsageError
            If the source is nothing of these, or a tensor without dense values.
        ItemError
            If an item fails; the first failure ends the conversion.
        """
        steps = self.checked.steps
        given = as_source(source, takes_rows=self._takes_rows)
        with reporting(progress) as reports:
            for outcome in self._converted(given, threads=None, on_warning=None, on_progress=reports):
                for message in dict.fromkeys(outcome.context.warnings):
                    if reports is not None:
                        reports.clear()
                    key, index = (outcome.item.key, outcome.item.index) if outcome.item else ("", 0)
                    warn(f"{item_name(given.name, key, index)}: {message}")
                if outcome.error:
                    raise outcome.error
                if outcome.item:
                    if steps:  # what the decoder gives has been checked
                        check_result(outcome, steps[-1])
                    yield outcome.item.signal

    def items(
        self,
        source: Source,
        *,
        threads: int | None = None,
        on_warning: Callable[[str], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        skip: Container[tuple[str, int]] = (),
    ) -> Iterator[Outcome]:
        """Yield the outcome of each item of a source after the shared steps: an item, or an error.

        If an output has no own steps, values of each item are finite, and its duration, peak and DC are measured.
        Items whose key and index are in ``skip`` are left out; if no step regroups items, they are not even
        transformed. Nothing is left out if an output's own step regroups items: it counts the items before. Plugins may
        use as many threads as the process may have if ``threads`` is None.
        """
        if self._has_own_regroup:
            skip = ()
        stream = self._converted(
            source,
            threads=threads,
            on_warning=on_warning,
            on_progress=on_progress,
            skip=skip,
            defers=deferring(self.checked.steps, self.outputs),
        )
        if skip:
            stream = (outcome for outcome in stream if outcome.error or not _is_in(skip, outcome))
        if self._has_own_regroup:
            counts: dict[str, Counter[str]] = {}
            stream = (replace(outcome, counts=counts) for outcome in stream)
        if any(not output.steps for output in self.outputs):
            stream = measure_items(stream, (self.checked.decoder, *self.checked.steps)[-1], self._limits)
        return stream

    def branch(self, output: Output, outcome: Outcome) -> Iterator[Outcome]:
        """Return the outcomes of one output for an outcome of `items`: an item ready to be written, or an error.

        There is one, or several where one of the output's own steps splits an item. Values of each item are finite,
        and its duration, peak and DC are measured. Each outcome has a context of its own, which starts with what was
        measured for the shared item. The last output takes over the shared context, so branch to the outputs in order.
        """
        context = outcome.context
        made = context.provenance
        if output is not self.outputs[-1]:
            context = _copied(context, context.measurements.copy(), context.warnings.copy())
            outcome = replace(outcome, context=context)
        context.provenance = _LazyProvenance(lambda: self._provenance(output, made()))
        if outcome.deferred is not None:
            return iter((replace(outcome, deferred=(*outcome.deferred, *output.steps)),))
        if not output.steps or outcome.error or outcome.item is None:
            return iter((outcome,))
        return self._own_outcomes(output, outcome, outcome.item.signal)

    def _own_outcomes(self, output: Output, outcome: Outcome, signal: Signal) -> Iterator[Outcome]:
        """Yield the outcomes of an output's own steps for a shared signal."""
        context = outcome.context
        for name in HOST_MEASUREMENTS:
            context.measurements.pop(name, None)
        stream = iter((outcome,))
        for step in output.steps:
            measured = step is output.steps[-1]
            if isinstance(step.plugin, Transform):
                stream = transform_items(step, stream, measured=measured, limits=self._limits)
            else:
                counts = outcome.counts.setdefault(step.place.stage, Counter())
                stream = regroup_items(
                    step, stream, _copied(context, {}, []), counts, measured=measured, limits=self._limits
                )
        with read_only(signal.arrays() if len(self.outputs) > 1 else ()):
            yield from measure_items(stream, output.steps[-1], self._limits)

    @functools.cached_property
    def _limits(self) -> LimitChecks:
        return LimitChecks(self.checked.limits, self.checked.decoder)

    @functools.cached_property
    def _stages(self) -> tuple[BoundPlugin, ...]:
        return tuple(self.checked.stages())

    @functools.cached_property
    def _has_own_regroup(self) -> bool:
        return any(isinstance(step.plugin, Regroup) for output in self.outputs for step in output.steps)

    @functools.cached_property
    def _fingerprints(self) -> tuple[str, ...]:
        return fingerprints_of(self.checked)

    def _provenance(self, output: Output, shared: Provenance) -> Provenance:
        """Return the provenance of the files of one output."""
        index = next(index for index, one in enumerate(self.outputs) if one is output)
        full = stages_of(self.checked.stages_of(output))
        stages = without_folders(full, os.path.dirname(os.path.abspath(self.checked.file or "_")))  # noqa: PTH100, PTH120
        return replace(shared, pipeline=self._fingerprints[index], stages=stages, full_stages=full)

    def _converted(
        self,
        source: Source,
        *,
        threads: int | None,
        on_warning: Callable[[str], None] | None,
        on_progress: Callable[[Progress], None] | None = None,
        skip: Container[tuple[str, int]] = (),
        defers: bool = False,
    ) -> Iterator[Outcome]:
        """Yield the outcome of each item of a source after the last step; long items may leave the steps for later."""
        shared = (self.checked.decoder, *self.checked.steps)
        made = _LazyProvenance(lambda: provenance_of(shared, source))
        reporter = None if on_progress is None else Reporter(on_progress, self._stages, source.name)

        def new_context() -> Context:
            context = Context(
                threads=threads,
                on_warning=on_warning,
                catalogue=self.checked.catalogue,
                provenance=made,
                source=source,
            )
            context.reporter = reporter
            return context

        context = new_context()
        steps = self.checked.steps
        is_measured = any(not output.steps for output in self.outputs)
        stream = decode_items(
            self.checked.decoder,
            source,
            context,
            measured=is_measured and not steps,
            leaves_search=bool(steps) and isinstance(steps[0].plugin, Transform) and steps[0].plugin.searches,
            limits=self._limits,
        )
        if skip and all(isinstance(step.plugin, Transform) for step in steps):
            stream = (outcome for outcome in stream if not _is_in(skip, outcome))
        if defers:
            stream = deferred_items(stream, steps, self.outputs)
        for step in steps:
            measured = is_measured and step is steps[-1]
            if isinstance(step.plugin, Transform):
                stream = transform_items(step, stream, measured=measured, limits=self._limits)
            else:
                stream = regroup_items(step, stream, new_context(), Counter(), measured=measured, limits=self._limits)
        return stream

    def encode(self, output: Output, outcome: Outcome, sink: Sink) -> None:
        """Write the item of an outcome of `branch`.

        Raises
        ------
        ItemError
            If the signal cannot be written.
        OutputError
            If the disk is full, or the folder is not writable.
        """
        encoder, item, context = output.encoder, outcome.item, outcome.context
        assert item is not None
        if outcome.deferred is not None:
            write_deferred(outcome, encoder, sink, self._limits)
            return
        shared = item.signal.arrays() if output is not self.outputs[-1] else ()
        try:
            with as_item_error(encoder, sink, context=context), read_only(shared):
                check_taken(item.signal, encoder)
                plugin = plugin_as(encoder, Encoder)
                plugin.check_signal(item.signal, sink.suffix)
                if isinstance(item.signal, Waveform):
                    self._limits.check_written(item.signal, encoder, context)
                plugin.encode(item, sink, context)
        except ItemError as error:
            if may_be_tried(error, encoder):
                from tonearm.pipeline.item_trials import try_on_encoder  # not at the top: most runs have no such error

                try_on_encoder(error, encoder, item.signal, sink.suffix)
            raise


def _copied(context: Context, measurements: dict[str, float | int | str], warnings: list[str]) -> Context:
    """Return a copy of a context with another record; `copy.copy` would add 3 µs to every file."""
    copied = object.__new__(type(context))
    vars(copied).update(vars(context))
    copied.measurements, copied.warnings = measurements, warnings
    return copied


class _LazyProvenance:
    """Provenance that is computed once, on first use; `functools.cache` would add 20 µs to every file."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Provenance]) -> None:
        self._make = make
        self._made: Provenance | None = None

    def __call__(self) -> Provenance:
        if self._made is None:
            self._made = self._make()
        return self._made


def _restored_converter(
    cls: type[Converter],
    file: str | None,
    files: tuple[str, ...],
    decoder: PluginState,
    steps: list[PluginState],
    outputs: list[tuple[PluginState, Template, list[PluginState]]],
    limits: PipelineLimits,
) -> Converter:
    return cls(
        CheckedPipeline(
            file=file,
            decoder=restored_stage(decoder),
            files=files,
            steps=tuple(map(restored_stage, steps)),
            outputs=tuple(
                Output(restored_stage(encoder), template, tuple(map(restored_stage, own)))
                for encoder, template, own in outputs
            ),
            catalogue=lambda cls: registry.default().catalogue(cls),
            limits=limits,
        )
    )


def _is_in(names: Container[tuple[str, int]], outcome: Outcome) -> bool:
    return outcome.item is not None and (outcome.item.key, outcome.item.index) in names


def as_source(given: Any, *, takes_rows: bool = False) -> Source:
    """Return a path, an open binary file, an array, arrays by name, or a signal as a source.

    Parameters
    ----------
    given
        Path; open binary file; anything that `tonearm.tensors.as_array` takes: a list, an array or a tensor of any
        library; mapping of these; pair of one and its sample rate; or signal.
    takes_rows
        Whether a list may have rows of different lengths, as that of a kind that takes them.

    Raises
    ------
    UsageError
        If it is nothing of these, or a tensor without dense values.
    """
    if isinstance(given, Source):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Source(name=os.fspath(given), path=os.fspath(given))
    if isinstance(given, Signal):
        return Source(name=f"<{given.port}>", signal=given)
    if hasattr(given, "read") and not isinstance(given, Mapping) and not hasattr(given, "__array__"):
        return Source(name=str(getattr(given, "name", "<file>")), file=given)
    from tonearm.given_arrays import arrays_within  # not at the top: most runs have files alone
    from tonearm.tensors import as_array

    arrays = arrays_within(given, takes_rows=takes_rows)
    if arrays is not None:
        return Source(name="<arrays>", arrays=arrays)
    return Source(name="<array>", array=as_array(given))
