"""``loudness``: as loud as it should be, by ITU-R BS.1770-4."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import Context, ItemError, Meta, OptionError, Spec, Transform, Waveform
from tonearm_plugins.transforms.limiter import LimiterOptions, limited

if TYPE_CHECKING:
    from tonearm_plugins.dsp.loudness import BlockLoudness

TURNS = 6
"""How often the gain is corrected for what the limiter takes away, at most."""

CLOSE = 0.05
"""In LU: near enough to the target."""

LEAST_SLOPE = 0.2
"""What a dB of gain adds in LU, at least: beyond, a limiter makes nothing but noise of a sound."""

MOST_MORE = 40.0
"""In dB: how much more than the target wants is tried, where a limiter takes nearly all of it away."""


@dataclass(frozen=True, kw_only=True)
class LoudnessOptions:
    """Options of ``loudness``."""

    target_lufs: Annotated[
        float,
        Meta(
            ge=-70,
            le=0,
            description="Integrated loudness of the result: -16 for podcasts and the web, -23 for EBU R 128.",
        ),
    ] = -16.0
    true_peak_db: Annotated[
        float | None,
        Meta(ge=-60, le=20, description="Ceiling of its true peak in dBTP, oversampled 4 times; null for none."),
    ] = -1.0
    peaks: Annotated[
        Literal["limit", "lower"],
        Meta(
            description="What becomes of a sound that would go over the ceiling: limit holds its peaks by a limiter and"
            " reaches the target, lower gives it one gain and leaves it softer."
        ),
    ] = "limit"
    channel_weights: Annotated[
        list[float] | None,
        Meta(
            min_length=1,
            description="Weight of each channel; by their number if not given, in the order of WAV files: L R, L R C,"
            " L R Ls Rs, L R C Ls Rs, 5.1 L R C LFE Ls Rs, 7.1 L R C LFE Lb Rb Ls Rs.",
        ),
    ] = None


class Loudness(Transform[Waveform, Waveform, LoudnessOptions]):
    """Bring the integrated loudness (ITU-R BS.1770-4, gated) to a target, true peaks under a ceiling."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform, and measure loudness and true peak of it.

        What is shorter than one block of 400 ms is measured as a whole, without gates, and a warning says so.
        """
        from tonearm_plugins.dsp.levels import amplitude, decibels, scaled
        from tonearm_plugins.dsp.true_peak import true_peak_of

        options = self.options
        found = self._measured(signal)
        if found.whole:
            context.warn(
                f"it lasts {signal.duration:.3g} s, less than a block of 0.4 s: its loudness is that of the whole,"
                " without gates"
            )
        context.measure(source_lufs=_rounded(found.integrated))
        if not math.isfinite(found.integrated):
            context.warn("nothing in it is louder than -70 LUFS: it has no loudness, and stays as it is")
            return signal
        gain, peak = found.gain_to(options.target_lufs), true_peak_of(signal.samples)
        ceiling = math.inf if options.true_peak_db is None else amplitude(options.true_peak_db)
        if peak * gain > ceiling and options.peaks == "limit":
            result, gain = self._limited(signal, gain, ceiling, context)
            found, peak = self._measured(result), true_peak_of(result.samples)
        else:
            gain = min(gain, ceiling / peak)
            result = Waveform(samples=scaled(signal.samples, gain), sample_rate=signal.sample_rate)
            found, peak = found.scaled(gain), peak * gain
        if abs(found.integrated - options.target_lufs) > 2 * CLOSE:
            hint = "; peaks: limit would reach it" if options.peaks == "lower" else ""
            context.warn(
                f"it is at {found.integrated:.1f} LUFS, not {options.target_lufs:g}: its true peak is at"
                f" {decibels(peak):.1f} dBTP{hint}"
            )
        context.measure(
            loudness_lufs=_rounded(found.integrated),
            gain_db=round(decibels(gain), 2),
            true_peak_db=_rounded(decibels(peak)),
        )
        if found.range is not None:
            context.measure(
                max_short_term_lufs=_rounded(found.loudest_short_term), loudness_range_lu=round(found.range, 2)
            )
        return result

    def _limited(self, signal: Waveform, gain: float, ceiling: float, context: Context) -> tuple[Waveform, float]:
        """Return the waveform limited, with so much gain before that it has the loudness wanted all the same."""
        from tonearm_plugins.dsp.levels import amplitude, decibels, scaled

        gain_db, slope = decibels(gain), 1.0
        most_db = gain_db + MOST_MORE
        tried: list[tuple[float, float]] = []
        for _ in range(TURNS):
            louder = Waveform(samples=scaled(signal.samples, amplitude(gain_db)), sample_rate=signal.sample_rate)
            result, reduction_db = limited(louder, ceiling, LimiterOptions(), true_peak=True)
            tried.append((gain_db, self._measured(result).integrated))
            missing = self.options.target_lufs - tried[-1][1]
            if abs(missing) < CLOSE or not math.isfinite(missing):  # the ceiling may be below what has a loudness
                break
            # Of each dB of gain, the limiter lets through only a part: the secant method.
            if len(tried) > 1:
                (gain_before, before), (gain_now, now) = tried[-2:]
                slope = min(max((now - before) / (gain_now - gain_before), LEAST_SLOPE), 1.0)
            more = min(missing / slope, most_db - gain_db)
            if not more:
                break
            gain_db += more
        context.measure(reduction_db=round(reduction_db, 2))
        return result, amplitude(tried[-1][0])

    def _measured(self, signal: Waveform) -> BlockLoudness:
        from tonearm_plugins.dsp.errors import ShapeError
        from tonearm_plugins.dsp.loudness import measure_loudness

        try:
            return measure_loudness(signal.samples, signal.sample_rate, weights=self.options.channel_weights)
        except ShapeError as error:
            raise ItemError(str(error), code="no-loudness", hint=HINT) from error

    def produces(self, spec: Spec) -> Spec:
        """Refuse what cannot be measured."""
        from tonearm_plugins.dsp.channel_layouts import known_to_loudness

        reason = known_to_loudness(spec.channels, spec.sample_rate, self.options.channel_weights)
        if reason:
            raise OptionError(reason, code="no-loudness", hint=HINT)
        return spec.but(signals=(Waveform,))


def _rounded(db: float) -> float | str:
    return round(db, 2) if math.isfinite(db) else "-inf"


HINT = "channel_weights says what each channel weighs; mix and resample before it change channels and rate"
