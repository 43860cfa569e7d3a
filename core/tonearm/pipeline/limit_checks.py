"""Checks by the limits of a pipeline: scale after inversions and of what encoders write, and doubts of decoders.

The host has measured the peak of what is written anyway. So a sound of usual level costs no pass over its samples here.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import Advice, InsertStep, ItemError, Remedy, RunCommand, SetLimit, SetOption, TonearmError
from tonearm.findings.blocks import blocks
from tonearm.kinds.scale import LOW_PEAK, scale_remedies
from tonearm.kinds.spectrograms import SpectrogramOptions
from tonearm.names import BUILTIN
from tonearm.pipeline.blame import placed
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.limits import PipelineLimits
from tonearm.plugins.culprit import blamed_name
from tonearm.plugins.encoder import Encoder
from tonearm.signals import MAX_AMPLITUDE, MagnitudeSpectrogram, Signal, Waveform
from tonearm.signals.levels import SILENT, beyond_message, decibels, offset_message, quiet_message

if TYPE_CHECKING:
    from tonearm.arrays.extent import Extent
    from tonearm.pipeline.outcome import Outcome
    from tonearm.plugins.context import Context

_SCALE_OF_16_BIT = 2**15
"""Full scale of 16-bit samples."""

_OF_LIMITS = frozenset(("beyond-full-scale", "clipped", "too-quiet"))
"""Codes of errors by limits, whose remedies follow from the samples."""

_QUIET_INVERSION = 0.01
"""Peak below which a waveform that was made of spectra is quiet: -40 dBFS."""

_USUAL_PEAKS = (0.05, 4.0)
"""Range of the peaks of most sounds."""

_INTENDED = "if this is intended"


def may_be_tried(error: TonearmError, bound: BoundPlugin) -> TypeGuard[ItemError]:
    """Return whether the remedies of an error may be tried: it is of tonearm's own plugin, and not of a limit.

    Where the system refused something, such as another open file, a trial would fail as well.
    """
    if not isinstance(error, ItemError) or not error.remedies or error.code in _OF_LIMITS:
        return False
    return bound.entry.origin == BUILTIN and not isinstance(error.__cause__, (OSError, MemoryError))


class LimitChecks(Struct, frozen=True):
    """The checks by the limits of a pipeline.

    Parameters
    ----------
    limits
        Limits.
    decoder
        Decoder of the pipeline, whose options may set the scale; None if it is not known.
    """

    limits: PipelineLimits = PipelineLimits()
    decoder: BoundPlugin | None = None

    def checked_doubts(self, outcome: Outcome, bound: BoundPlugin) -> Outcome:
        """Return the outcome of a decoded item with the doubts of its decoder as warnings, or with the first as error.

        Parameters
        ----------
        outcome
            Outcome of an item.
        bound
            Decoder.
        """
        doubts, context = outcome.context.doubts, outcome.context
        if outcome.error or self.limits.dialect == "off":
            return outcome
        if self.limits.strict or self.limits.dialect == "error":
            return replace(outcome, error=placed(doubts[0], bound))
        for doubt in doubts:
            hint = placed(doubt, bound).hint
            context.warn(f"{doubt.code}: {doubt.message}{f'; {hint}' if hint else ''}")
        return outcome

    def check_inverted(
        self, extent: Extent, bound: BoundPlugin, context: Context, before: Signal | None = None
    ) -> None:
        """Check the level of a waveform that a step made of another signal, as both checks below do.

        Parameters
        ----------
        extent
            Extent of the samples.
        bound
            Step.
        context
            Context of the item.
        before
            Signal that the waveform was made of, if it is known.
        """
        self.doubt_scaling(extent.peak, context)
        self.check_reach(extent, bound, context, before)

    def check_reach(self, extent: Extent, bound: BoundPlugin, context: Context, before: Signal | None = None) -> None:
        """Raise `ItemError` if a waveform that a step made, or a block of it, goes far beyond full scale.

        Parameters
        ----------
        extent
            Extent of the samples. One that is not finite passes, as it is the error of another check.
        bound
            Step.
        context
            Context of the item.
        before
            Signal that the waveform was made of, if it is known.
        """
        peak = extent.peak
        if not extent.finite or peak <= self.limits.beyond:
            return
        name = blamed_name(bound.name, bound.plugin, None)
        message = f"{name} gave a waveform that reaches {peak:.6g}, but full scale is ±1.0"
        remedies = (*self._other_kind(peak, before), *self._scale_of_source(peak, context))
        remedies = (*remedies, SetLimit("beyond", _above(peak), _INTENDED))
        raise placed(ItemError(message, code="beyond-full-scale", remedies=remedies), bound)

    def doubt_scaling(self, peak: float, context: Context) -> None:
        """Warn of a quiet waveform that would be as loud as most if its spectra had the scaling of scipy.

        Parameters
        ----------
        peak
            Largest absolute sample of the whole waveform.
        context
            Context of the item.
        """
        if not 0 < peak < _QUIET_INVERSION:
            return
        own: Any = (
            getattr(getattr(self.decoder.plugin.options, "kind", None), "options", None) if self.decoder else None
        )
        if getattr(own, "convention", "") is not None or own.scaling is not None or getattr(own, "recipe", None):
            return
        length = own.win_length or own.n_fft
        if length is None or not _USUAL_PEAKS[0] <= peak * length / 2 <= _USUAL_PEAKS[1] or self.decoder is None:
            return
        message = f"the spectra give a waveform whose peak is only {decibels(peak):.1f} dBFS ({peak:.3g})"
        remedies = (SetOption("convention", "scipy", when="if scipy.signal.stft made them"),)
        error = placed(ItemError(message, code="too-quiet", remedies=remedies), self.decoder)
        if self.limits.strict:
            raise error
        context.warn(f"too-quiet: {message}; {error.hint}")

    def check_level(self, peak: float, context: Context) -> None:
        """Warn of a waveform that is silent or very quiet when it is written; under ``strict``, raise `ItemError`.

        Parameters
        ----------
        peak
            Largest absolute sample.
        context
            Context of the item.
        """
        level = decibels(peak)
        if level >= self.limits.quiet_db and peak > 0:
            return
        remedies: tuple[Remedy, ...] = ()
        if peak > 0:
            message = quiet_message(peak)
            remedies = (SetLimit("quiet_db", math.floor(level), _INTENDED),)
        else:
            message = SILENT
        if self.limits.strict:
            raise ItemError(message, code="too-quiet", remedies=remedies)
        if peak == 0 or not any(warning.startswith("too-quiet: ") for warning in context.warnings):
            context.warn(f"too-quiet: {message}" if peak > 0 else message)

    def report_mean(self, mean: float, peak: float, context: Context) -> None:
        """Warn of a waveform that lies far from 0 in the mean; under ``strict``, raise `ItemError`.

        Parameters
        ----------
        mean
            Mean of the samples.
        peak
            Largest absolute sample.
        context
            Context of the item.
        """
        if any(warning.startswith("kind-doubtful: ") for warning in context.warnings):
            return  # it tells more
        message = offset_message(mean, peak)
        if self.limits.strict:
            remedies = (InsertStep("dc-remove", when="to subtract it"),)
            raise ItemError(message, code="dc-offset", remedies=remedies)
        context.warn(f"dc-offset: {message}")

    def check_written(self, signal: Waveform, encoder: BoundPlugin, context: Context) -> None:
        """Raise `ItemError` if an encoder would clip more samples than the limit, or write floats far beyond ±1.0.

        Parameters
        ----------
        signal
            Waveform, whose peak in dB has been measured.
        encoder
            Encoder.
        context
            Context of the item.
        """
        level = context.measurements.get("peak_db", 0.0)
        if not isinstance(level, float) or level <= 0:
            return
        beyond, peak = _beyond(signal.samples)
        self.check_beyond(beyond / signal.samples.size, peak, encoder, context)

    def check_beyond(self, share: float, peak: float, encoder: BoundPlugin, context: Context) -> None:
        """Raise `ItemError` if an encoder would clip more samples than the limit, or write floats far beyond ±1.0.

        Parameters
        ----------
        share
            Share of the samples that are beyond ±1.0.
        peak
            Largest absolute sample, above 1.0.
        encoder
            Encoder.
        context
            Context of the item.
        """
        plugin, limits = encoder.plugin, self.limits
        is_clipped = not isinstance(plugin, Encoder) or plugin.clips()
        if not is_clipped and peak > limits.beyond:
            message = f"the waveform reaches {peak:.6g}, but full scale is ±1.0"
            remedies = (
                *self._scale_of_source(peak, context),
                _quieter(context),
                SetLimit("beyond", _above(peak), _INTENDED),
            )
            raise placed(ItemError(message, code="beyond-full-scale", remedies=remedies), encoder)
        if share <= (0.0 if limits.strict else limits.clipped):
            return
        what = beyond_message(share, peak)
        if is_clipped or limits.strict:
            message = f"{what}, and {'would be' if is_clipped else 'players'} clip{'ped' if is_clipped else ' them'}"
            limit = () if limits.strict else (SetLimit("clipped", min(1.0, _above(share, 2)), _INTENDED),)
            remedies = (*self._scale_of_source(peak, context), _quieter(context), *limit)
            raise placed(ItemError(message, code="clipped", remedies=remedies), encoder)
        context.warn(f"clipped: {what}, which players clip")

    def _other_kind(self, peak: float, before: Signal | None) -> tuple[Remedy, ...]:
        """Return the kind by which the peak would be that of a sound, if magnitudes may be powers or the reverse."""
        options = self.decoder.plugin.options if self.decoder else None
        kind: Any = getattr(options, "kind", None)
        name = getattr(kind, "name", "")
        if not isinstance(before, MagnitudeSpectrogram) or getattr(kind.options, "recipe", None) is not None:
            return ()
        largest = float(before.values.max(initial=0.0))
        if name == "magnitude" and LOW_PEAK <= peak / math.sqrt(largest) <= 1:
            return (SetOption("kind", "power", "if these are powers", stage="input"),)
        scales = (1, _SCALE_OF_16_BIT) if kind.options.full_scale is None else (1,)
        if name == "power" and any(LOW_PEAK <= peak * largest / scale <= MAX_AMPLITUDE for scale in scales):
            return (SetOption("kind", "magnitude", "if these are magnitudes", stage="input"),)
        return ()

    def _scale_of_source(self, peak: float, context: Context) -> tuple[Remedy, ...]:
        """Return the option of the decoder that would bring a peak below full scale, as far as its options show.

        A spectrogram is proportional to its samples, and so is the waveform that is made of it. So the scale is right
        if the peak divided by it is below full scale.
        """
        options = self.decoder.plugin.options if self.decoder else None
        own: Any = getattr(getattr(options, "kind", None), "options", None)
        if getattr(own, "dialect", None) is not None or getattr(own, "recipe", None) is not None:
            return _look(context)
        if not hasattr(own, "full_scale") or own.full_scale is not None or peak <= MAX_AMPLITUDE:
            return ()
        scales = scale_remedies(peak, "the source has {}-bit samples", stage="input")
        if not isinstance(own, SpectrogramOptions) or None in (own.n_fft, own.hop_length, own.sample_rate):
            return scales  # options of a kind that the array tells, which is no spectrogram without them
        scaling = _scaling(own, peak)
        return (*scaling, *(() if own.grid().scaling != "none" and scaling else scales))


DEFAULT_CHECKS = LimitChecks()
"""Checks by the default limits."""


def _quieter(context: Context) -> Remedy:
    """Return the step that brings a peak below full scale; a stream, which has no source, cannot be normalized."""
    return InsertStep("limiter" if context.source is None else "normalize", when="to bring the peak below full scale")


def _scaling(options: SpectrogramOptions, peak: float) -> tuple[Remedy, ...]:
    """Return the scaling or the convention with which a peak is that of a sound; none if the scaling is plausible."""
    from tonearm.signals.plain_values import plain_gain

    grid = options.grid()
    if grid.scaling != "none":
        found = peak * plain_gain(grid)
        fits = LOW_PEAK <= found <= 1
        return (SetOption("scaling", "none", "if the values are not scaled", stage="input"),) if fits else ()
    scipy = dataclasses.replace(grid, scaling="spectrum")
    if options.convention is None and LOW_PEAK <= peak / plain_gain(scipy) / _SCALE_OF_16_BIT <= 1:
        when = "if scipy.signal.stft computed it from 16-bit samples"
        return (SetOption("convention", "scipy", when, stage="input"),)
    return ()


def _look(context: Context) -> tuple[Remedy, ...]:
    """Return the command that shows which recipe the values of a source fit."""
    source = context.source
    if source is None or source.in_memory:
        return (Advice("check the recipe of the values against the model's"),)
    return (RunCommand(("tonearm", "inspect", source.name), "to see what the values fit"),)


def _beyond(samples: Any) -> tuple[int, float]:
    """Return the number of samples beyond ±1.0, and the largest absolute sample."""
    import numpy as np

    count, peak = 0, 0.0
    for block in blocks(samples):
        size = np.abs(block)
        count += int(np.count_nonzero(size > 1.0))
        peak = max(peak, float(size.max()))
    return count, peak


def _above(value: float, digits: int = 3) -> float:
    """Return a round number that is not below a value."""
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return float(f"{math.ceil(value / unit) * unit:.{digits}g}")
