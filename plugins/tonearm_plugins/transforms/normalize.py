"""``normalize``: one gain for the whole waveform, which brings its peak or its RMS to a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Decibels, Meta, Transform, Waveform

DEFAULT_PEAK_DB = -1.0
SILENCE = 1e-300
"""Peak below which a waveform is silent: no gain in float64 would bring it up."""


@dataclass(frozen=True, kw_only=True)
class NormalizeOptions:
    """Options of ``normalize``."""

    peak_db: Annotated[
        Decibels | None,
        Meta(
            le=0,
            ge=-120,
            description="Sample peak of the result in dBFS; -1 if neither option is given. Next to rms_db it is a"
            " ceiling, which the gain respects.",
            examples=[-1, "-0.1 dB"],
        ),
    ] = None
    rms_db: Annotated[
        Decibels | None,
        Meta(
            le=0,
            ge=-120,
            description="RMS of the result over all channels in dBFS, where a full-scale sine is at -3.01.",
            examples=[-20, "-18 dB"],
        ),
    ] = None


class Normalize(Transform[Waveform, Waveform, NormalizeOptions]):
    """Bring the peak over all channels, or their RMS, to a level by one gain; silence stays as it is."""

    keeps_double = True
    instead = "use gain with a fixed gain_db, and limiter against peaks"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform times the gain, and record the gain."""
        from tonearm_plugins.dsp import levels

        peak_db, rms_db = self.options.peak_db, self.options.rms_db
        peak = levels.peak(signal.samples)
        rms = 0.0 if rms_db is None else levels.rms(signal.samples)
        if peak < SILENCE or (rms_db is not None and rms < SILENCE):
            return signal
        if rms_db is None:
            gain = levels.db_to_amplitude(DEFAULT_PEAK_DB if peak_db is None else peak_db) / peak
        else:
            gain = levels.db_to_amplitude(rms_db) / rms
            max_gain = gain if peak_db is None else levels.db_to_amplitude(peak_db) / peak
            if gain > max_gain:
                context.warn(
                    f"at an RMS of {rms_db:g} dBFS it would peak at {levels.amplitude_to_db(gain * peak):.1f} dBFS, so"
                    f" the gain is {levels.amplitude_to_db(gain / max_gain):.1f} dB lower"
                )
                gain = max_gain
        context.measure(gain_db=round(levels.amplitude_to_db(gain), 2))
        return Waveform(samples=levels.apply_gain(signal.samples, gain), sample_rate=signal.sample_rate)
