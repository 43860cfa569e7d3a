"""A chain of started plugins, through which a signal passes block by block: steps, and an encoder at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.arrays.extent import extent_of, mean_of
from tonearm.arrays.not_finite import not_finite_error
from tonearm.errors import Advice, ItemError, OptionError, SignalError
from tonearm.pipeline.blame import as_item_error, placed, refusal
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.signal_checks import not_finite_of
from tonearm.pipeline.stages import plugin_as
from tonearm.plugins.block_plugins import BlockEncoder, BlockTransform, StartedEncoder, start_encoder
from tonearm.plugins.blocks import Recut, canonical_length, signal_of
from tonearm.plugins.context import Context
from tonearm.plugins.culprit import blamed_name
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Regroup, Transform
from tonearm.signals import Signal, Waveform
from tonearm.signals.levels import decibels, has_offset

if TYPE_CHECKING:
    from tonearm.typing import Array


def check_block_chain(
    steps: Iterable[BoundPlugin], encoder: BoundPlugin, spec: Spec, *, pipe: bool, suffix: str | None = None
) -> Spec:
    """Return what reaches the encoder, or raise the error of the first plugin that cannot work block by block.

    Parameters
    ----------
    steps
        Steps in order.
    encoder
        Encoder.
    spec
        Specification of the signal that the first step gets, without a length.
    pipe
        Whether the encoder writes into a pipe.
    suffix
        Suffix of what the encoder writes, which may select a format of its own; None if it is not known.

    Raises
    ------
    ItemError
        If a plugin needs the whole signal, or the encoder must go back in what it has written.
    """
    for step in steps:
        try:
            plugin: Transform[Any, Any, Any] | Regroup[Any, Any, Any] = step.plugin  # type: ignore[assignment]
            plugin.check_blocks(spec)
            spec = _produced(plugin, spec)
        except OptionError as error:
            raise refusal(error, step) from error
    try:
        last = plugin_as(encoder, Encoder)
        spec = spec.replace(suffix=suffix)
        last.check_blocks(spec)
        if pipe:
            last.check_pipe(spec)
    except OptionError as error:
        raise refusal(error, encoder) from error
    return spec


class BlockChain:
    """Steps and an encoder at work on one signal, which comes block by block.

    The chain checks what every step gives, and measures what reaches the encoder, as the host does with whole signals.

    Parameters
    ----------
    steps
        Steps in order; each is a `BlockTransform`.
    encoder
        Encoder, a `BlockEncoder`.
    spec
        Specification of the signal that the first step gets: its class, sample rate, channels and precision.
    sink
        Sink of the encoder.
    context
        Context of the item, which takes measurements and warnings.
    limits
        Checks by the limits.
    item
        Item that is written; None in a stream.

    Raises
    ------
    ItemError
        If a plugin refuses the signal.
    OutputError
        If the encoder cannot write the start of the file.
    """

    def __init__(
        self,
        steps: Sequence[BoundPlugin],
        encoder: BoundPlugin,
        *,
        spec: Spec,
        sink: Sink,
        context: Context,
        limits: LimitChecks,
        item: Item[Signal] | None = None,
    ) -> None:
        self._context = context
        self._limits = limits
        self._encoder = encoder
        self._sink = sink
        self._item = item
        self._stages: list[_Stage] = []
        self._waiting = list(steps)
        self._started: StartedEncoder | None = None
        self._recut = Recut(0)
        self._levels: _Levels | None = None
        self._is_whole = True  # whether the encoder has written all that it was given
        self.spec = spec
        self._start()

    def _start(self) -> None:
        """Start the steps, and the encoder at last, as far as the number of channels is known.

        Behind a step that does not know how many it will give, as a network, its first block tells.
        """
        while self._waiting:
            step = self._waiting.pop(0)
            with as_item_error(step, context=self._context):
                stage = _Stage(step, self.spec, self._context)
            self._stages.append(stage)
            self.spec = stage.spec
            if self.spec.channels is None:
                return
        plugin = plugin_as(self._encoder, BlockEncoder)
        self._recut = Recut(0 if plugin.any_blocks else canonical_length(self.spec))
        self._levels = _Levels() if Waveform in self.spec.signals else None
        self.spec = self.spec.replace(suffix=self._sink.suffix)
        with as_item_error(self._encoder, self._sink, context=self._context):
            try:
                plugin.accepts(self.spec)
            except OptionError as error:
                raise refusal(error, self._encoder) from error
            self._started = start_encoder(plugin, self._item, self.spec, self._sink, self._context)

    def write(self, block: Array) -> None:
        """Pass a block on, whose last axis is time; its memory may be used again afterwards.

        Raises
        ------
        ItemError
            If a step fails or gives something else than it declares, such as NaN.
        OutputError
            If the encoder cannot write.
        """
        self._pass(block, 0)

    def finish(self) -> None:
        """Pass on what is left in the steps, check the sound by the limits, and write the end of the file.

        Raises
        ------
        ItemError
            If a step fails, or the whole breaks a limit: too many samples clipped, or under ``strict`` too quiet.
        OutputError
            If the encoder cannot write.
        """
        for index, stage in enumerate(self._stages):
            for block in stage.finish(self._context):
                self._checked(block, index)
        self.finish_early()

    def finish_early(self) -> None:
        """Check what has reached the encoder, and write the end of the file, without what is left in the steps.

        So a sound is kept up to where a step failed.

        Raises
        ------
        ItemError
            If that breaks a limit, or there is nothing.
        OutputError
            If the encoder cannot write.
        """
        for stage in self._stages:
            stage.check_whole(self._context, self._limits)
        if self._started is None:
            raise _nothing()
        if self._levels is not None:
            self._levels.report(self.spec, self._encoder, self._context, self._limits)
        rest = self._recut.rest()
        with as_item_error(self._encoder, self._sink, context=self._context):
            if rest is not None:
                self._started.write(rest)
            self._started.finish()

    @property
    def can_finish(self) -> bool:
        """Whether the file can be finished: the encoder has started and has not failed."""
        return self._is_whole and self._started is not None

    @property
    def duration(self) -> float:
        """Duration in seconds of the sound that has reached the encoder."""
        return self._levels.length / (self.spec.sample_rate or 1) if self._levels is not None else 0.0

    def abort(self) -> None:
        """Give the file up, and release what the encoder holds."""
        if self._started is None:
            return
        with as_item_error(self._encoder, self._sink):
            self._started.abort()

    def _pass(self, block: Array, index: int) -> None:
        """Pass a block to the stage of a number, and what that gives to the next one."""
        if index < len(self._stages):
            for made in self._stages[index].push(block, self._context):
                self._checked(made, index)
            return
        assert self._started is not None
        if self._levels is not None:
            self._levels.add(block)
        for piece in self._recut.push(block):
            self._is_whole = False
            with as_item_error(self._encoder, self._sink, context=self._context):
                self._started.write(piece)
            self._is_whole = True

    def _checked(self, block: Array, index: int) -> None:
        """Check what a stage gave, and pass it on."""
        shape = getattr(block, "shape", ())
        if shape and not shape[-1]:
            return  # nothing is complete yet
        self._stages[index].check(block, self._context, self._limits)
        if self._started is None and index + 1 == len(self._stages):
            self.spec = self.spec.replace(channels=int(block.shape[0]))
            self._start()
        self._pass(block, index + 1)


class _Stage:
    """A step at work on one signal."""

    def __init__(self, bound: BoundPlugin, spec: Spec, context: Context) -> None:
        self.bound = bound
        plugin = plugin_as(bound, BlockTransform)
        try:
            self.spec: Spec = _produced(plugin, spec)
        except OptionError as error:
            raise refusal(error, bound) from error
        self._is_inversion = Waveform in self.spec.signals and Waveform not in spec.signals
        self._peak = 0.0
        self._recut = Recut(0 if plugin.any_blocks else canonical_length(spec))
        self._started = plugin.start(spec, context)

    def push(self, block: Array, context: Context) -> Iterator[Array]:
        """Yield what the step gives for a block."""
        for piece in self._recut.push(block):
            with as_item_error(self.bound, context=context):
                made = self._started.push(piece)
            yield made

    def finish(self, context: Context) -> Iterator[Array]:
        """Yield what the step gives at the end."""
        rest = self._recut.rest()
        with as_item_error(self.bound, context=context):
            made = self._started.finish() if rest is None else self._started.push_last(rest)
        if made is not None:
            yield made

    def check(self, block: Any, context: Context, limits: LimitChecks) -> None:
        """Raise `ItemError` unless a block is what the step declares, finite, and of the scale of a sound."""
        try:
            signal = signal_of(self.spec.replace(length=None), block)
        except (SignalError, AttributeError, TypeError) as error:
            name = blamed_name(self.bound.name, self.bound.plugin, None)
            message = f"{name} gave a block that is no {self.spec.signals[0].port}: {error}"
            report = Advice("report it to the author of the plugin")
            raise placed(ItemError(message, code="wrong-signal", remedies=(report,)), self.bound) from error
        extent = extent_of(block)
        if not extent.finite:
            raise not_finite_of(self.bound, signal)
        if self._is_inversion:
            self._peak = max(self._peak, extent.peak)
            limits.check_reach(extent, self.bound, context)

    def check_whole(self, context: Context, limits: LimitChecks) -> None:
        """Warn of sound that is as quiet as that of spectra of another scaling; a pause says nothing."""
        limits.doubt_scaling(self._peak, context)


class _Levels:
    """Running measurements of the sound that reaches the encoder."""

    def __init__(self) -> None:
        self.length = 0
        self.samples = 0
        self.beyond = 0
        self.peak = 0.0
        self.sum = 0.0

    def add(self, block: Array) -> None:
        """Measure another block."""
        import numpy as np

        if not block.size:
            return
        extent = extent_of(block)
        if not extent.finite:  # of a source that keeps NaN, without a step that takes it away
            raise not_finite_error(block, "waveform")
        peak = extent.peak
        self.sum += mean_of(block, peak) * block.size
        self.length += block.shape[-1]
        self.samples += block.size
        self.peak = max(self.peak, peak)
        if peak > 1.0:
            self.beyond += int(np.count_nonzero(np.abs(block) > 1.0))

    def report(self, spec: Spec, encoder: BoundPlugin, context: Context, limits: LimitChecks) -> None:
        """Record the measurements, and check them by the limits."""
        if not self.samples:
            raise _nothing()
        mean = self.sum / self.samples
        duration = self.length / (spec.sample_rate or 1)
        context.measure(duration=round(duration, 6), dc=round(mean, 6))
        if self.peak > 0:
            context.measure(peak_db=round(decibels(self.peak), 2))
        limits.check_level(self.peak, context)
        if has_offset(mean, self.peak, duration):
            limits.report_mean(mean, self.peak, context)
        if self.peak > 1.0:
            limits.check_beyond(self.beyond / self.samples, self.peak, encoder, context)


def _nothing() -> ItemError:
    return ItemError("there is nothing to write", code="empty")


def _produced(plugin: Transform[Any, Any, Any] | Regroup[Any, Any, Any], spec: Spec) -> Spec:
    """Return what a step gives, in the precision that it computes in.

    Blocks of double precision are no wish to keep it, which steps of single precision refuse.
    """
    made = plugin.produces(spec.replace(precision=None))
    return made.replace(precision=made.precision or (spec.precision if plugin.keeps_double else "single"))
