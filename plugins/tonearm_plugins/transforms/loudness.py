"""``loudness``: a gain to a target loudness, by ITU-R BS.1770-4."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    Context,
    Decibels,
    GiveOption,
    InsertStep,
    ItemError,
    Meta,
    OptionError,
    Remedy,
    Spec,
    Transform,
    Waveform,
)
from tonearm_plugins.transforms.limiter import LimiterOptions, limit_waveform

if TYPE_CHECKING:
    from tonearm_plugins.dsp.loudness import LoudnessMeasurement
    from tonearm_plugins.dsp.progress import OnProgress

MAX_STEPS = 6
"""Number of times that the gain is raised at most, to make up for what the limiter takes away."""

TOLERANCE_LU = 0.05
"""Distance in LU from the target that is close enough."""

MIN_SLOPE = 0.2
"""Smallest effect of 1 dB of gain in LU that is assumed: with less, a limiter turns a sound into noise."""

MAX_EXTRA_GAIN_DB = 40.0
"""Largest gain in dB that is tried beyond that to the target, where a limiter takes nearly all of it away."""

MEASURING, LIMITING = 2, 2 + MAX_STEPS + 1
"""Stages that the progress counts: loudness and true peak; and with a limiter, its steps and the loudness it leaves."""


@dataclass(frozen=True, kw_only=True)
class LoudnessOptions:
    """Options of ``loudness``."""

    target_lufs: Annotated[
        float,
        Meta(
            ge=-70,
            le=0,
            description="Integrated loudness of the result in LUFS: -16 for podcasts and the web, -23 for EBU R 128.",
            examples=[-16, -23],
        ),
    ] = -16.0
    true_peak_db: Annotated[
        Decibels | None,
        Meta(ge=-60, le=20, description="Ceiling of the true peak in dBTP, oversampled 4 times; null for none."),
    ] = -1.0
    peaks: Annotated[
        Literal["limit", "lower"],
        Meta(
            description="Treatment of peaks over the ceiling: limit holds them by a limiter and reaches the target,"
            " lower uses one gain and stays below the target."
        ),
    ] = "limit"
    channel_weights: Annotated[
        list[float] | None,
        Meta(
            min_length=1,
            description="Weight of each channel; if not given, by the number of channels in the order of WAV: L R,"
            " L R C, L R Ls Rs, L R C Ls Rs, 5.1 L R C LFE Ls Rs, 7.1 L R C LFE Lb Rb Ls Rs.",
        ),
    ] = None


class Loudness(Transform[Waveform, Waveform, LoudnessOptions]):
    """Bring the integrated loudness (ITU-R BS.1770-4, gated) to a target, with true peaks under a ceiling."""

    keeps_double = True
    instead = "use gain with a fixed gain_db, and limiter against peaks"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform at the target, and record its loudness and its true peak.

        A waveform shorter than one block of 400 ms is measured as a whole, without gates, with a warning.
        """
        from tonearm_plugins.dsp.levels import amplitude_to_db, apply_gain, db_to_amplitude
        from tonearm_plugins.dsp.progress import share_of
        from tonearm_plugins.dsp.true_peak import measure_true_peak

        options = self.options
        may_limit = options.true_peak_db is not None and options.peaks == "limit"
        stages = LIMITING if may_limit else MEASURING
        found = self._measure(signal, context, share_of(context.progress, 0, stages))
        if found.ungated:
            context.warn(
                f"it lasts {signal.duration:.3g} s, less than a block of 0.4 s: its loudness was measured without gates"
            )
        context.measure(source_lufs=_rounded(found.integrated))
        if not math.isfinite(found.integrated):
            context.warn("nothing in it is louder than -70 LUFS, so it stays as it is")
            return signal
        gain, peak = (
            found.gain_to(options.target_lufs),
            measure_true_peak(
                signal.samples, threads=context.threads, on_progress=share_of(context.progress, 1, stages)
            ),
        )
        ceiling = math.inf if options.true_peak_db is None else db_to_amplitude(options.true_peak_db)
        if peak * gain > ceiling and may_limit:
            result, gain = self._limit(signal, gain, ceiling, context)
            found = self._measure(result, context, share_of(context.progress, LIMITING - 1, LIMITING))
            peak = measure_true_peak(result.samples, threads=context.threads)
        else:
            gain = min(gain, ceiling / peak)
            result = Waveform(samples=apply_gain(signal.samples, gain), sample_rate=signal.sample_rate)
            found, peak = found.scaled(gain), peak * gain
        context.progress(stages, stages)
        if abs(found.integrated - options.target_lufs) > 2 * TOLERANCE_LU:
            hint = "; peaks: limit would reach the target" if options.peaks == "lower" else ""
            context.warn(
                f"it is at {found.integrated:.1f} LUFS, not {options.target_lufs:g}: its true peak is at"
                f" {amplitude_to_db(peak):.1f} dBTP{hint}"
            )
        context.measure(
            loudness_lufs=_rounded(found.integrated),
            gain_db=round(amplitude_to_db(gain), 2),
            true_peak_db=_rounded(amplitude_to_db(peak)),
        )
        if found.range is not None:
            context.measure(max_short_term_lufs=_rounded(found.max_short_term), loudness_range_lu=round(found.range, 2))
        return result

    def _limit(self, signal: Waveform, gain: float, ceiling: float, context: Context) -> tuple[Waveform, float]:
        """Return the limited waveform and the gain before the limiter that brings it to the target."""
        from tonearm_plugins.dsp.levels import amplitude_to_db, apply_gain, db_to_amplitude
        from tonearm_plugins.dsp.progress import share_of

        gain_db, slope = amplitude_to_db(gain), 1.0
        max_gain_db = gain_db + MAX_EXTRA_GAIN_DB
        tried: list[tuple[float, float]] = []
        for step in range(MAX_STEPS):
            louder = Waveform(
                samples=apply_gain(signal.samples, db_to_amplitude(gain_db)), sample_rate=signal.sample_rate
            )
            result, reduction_db = limit_waveform(
                louder,
                ceiling,
                LimiterOptions(),
                true_peak=True,
                on_progress=share_of(context.progress, MEASURING + step, LIMITING),
            )
            tried.append((gain_db, self._measure(result, context).integrated))
            missing = self.options.target_lufs - tried[-1][1]
            if abs(missing) < TOLERANCE_LU or not math.isfinite(missing):  # nothing may be left above -70 LUFS
                break
            # The limiter takes away a part of each dB of gain, which the secant method finds.
            if len(tried) > 1:
                (gain_before, before), (gain_now, now) = tried[-2:]
                slope = min(max((now - before) / (gain_now - gain_before), MIN_SLOPE), 1.0)
            more = min(missing / slope, max_gain_db - gain_db)
            if not more:
                break
            gain_db += more
        context.measure(reduction_db=round(reduction_db, 2))
        return result, db_to_amplitude(tried[-1][0])

    def _measure(
        self, signal: Waveform, context: Context, on_progress: OnProgress | None = None
    ) -> LoudnessMeasurement:
        from tonearm_plugins.dsp.errors import ShapeError
        from tonearm_plugins.dsp.loudness import measure_loudness

        try:
            return measure_loudness(
                signal.samples,
                signal.sample_rate,
                weights=self.options.channel_weights,
                threads=context.threads,
                on_progress=on_progress,
            )
        except ShapeError as error:
            raise ItemError(str(error), code="no-loudness", remedies=self._remedies(signal.sample_rate)) from error

    def produces(self, spec: Spec) -> Spec:
        """Return the spec; channels and rates without a loudness are refused."""
        from tonearm_plugins.dsp.channel_layouts import loudness_refusal

        reason = loudness_refusal(spec.channels, spec.sample_rate, self.options.channel_weights)
        if reason:
            raise OptionError(reason, code="no-loudness", remedies=self._remedies(spec.sample_rate))
        return spec.replace(signals=(Waveform,))

    def _remedies(self, sample_rate: int | None) -> tuple[Remedy, ...]:
        """Return what to do about a waveform whose loudness cannot be measured."""
        from tonearm_plugins.dsp.channel_layouts import MIN_LOUDNESS_RATE

        if sample_rate is not None and sample_rate < MIN_LOUDNESS_RATE:
            return (InsertStep("resample", {"sample_rate": MIN_LOUDNESS_RATE}),)
        weights = GiveOption("channel_weights", "one weight for each channel")
        return (weights,) if self.options.channel_weights else (weights, InsertStep("mix", {"to": "mono"}))


def _rounded(db: float) -> float | str:
    return round(db, 2) if math.isfinite(db) else "-inf"
