"""``normalize``: one gain for the whole signal, so that its peak, or its RMS, is where it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Transform, Waveform

DEFAULT_PEAK_DB = -1.0
SILENT = 1e-300
"""A peak below this is as good as silence: no float64 would bring it up."""


@dataclass(frozen=True, kw_only=True)
class NormalizeOptions:
    """Options of ``normalize``."""

    peak_db: Annotated[
        float | None,
        Meta(
            le=0,
            ge=-120,
            description="Sample peak of the result in dBFS; -1 if nothing is given. With rms_db, a ceiling: where the"
            " peak would be over it, the gain is less.",
        ),
    ] = None
    rms_db: Annotated[
        float | None,
        Meta(
            le=0,
            ge=-120,
            description="RMS of the result over all channels in dBFS, where a full-scale sine is at -3.01.",
        ),
    ] = None


class Normalize(Transform[Waveform, Waveform, NormalizeOptions]):
    """Bring the peak over all channels, or their RMS, to a level by one gain; silence stays as it is."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the scaled waveform, and measure the gain."""
        from tonearm_plugins.dsp.levels import amplitude, decibels, peak_of, rms_of, scaled

        peak_db, rms_db = self.options.peak_db, self.options.rms_db
        peak = peak_of(signal.samples)
        rms = 0.0 if rms_db is None else rms_of(signal.samples)
        if peak < SILENT or (rms_db is not None and rms < SILENT):
            return signal
        if rms_db is None:
            gain = amplitude(DEFAULT_PEAK_DB if peak_db is None else peak_db) / peak
        else:
            gain = amplitude(rms_db) / rms
            most = gain if peak_db is None else amplitude(peak_db) / peak
            if gain > most:
                context.warn(
                    f"it would peak at {decibels(gain * peak):.1f} dBFS with an RMS of {rms_db:g} dBFS, so its gain is"
                    f" {decibels(gain / most):.1f} dB less"
                )
                gain = most
        context.measure(gain_db=round(decibels(gain), 2))
        return Waveform(samples=scaled(signal.samples, gain), sample_rate=signal.sample_rate)
