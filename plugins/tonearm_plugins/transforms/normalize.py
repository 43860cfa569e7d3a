"""``normalize``: one gain for the whole signal, so that its peak is where it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Transform, Waveform


@dataclass(frozen=True, kw_only=True)
class NormalizeOptions:
    """Options of ``normalize``."""

    peak_db: Annotated[float, Meta(le=0, ge=-120, description="Sample peak of the result in dBFS.")] = -1.0


class Normalize(Transform[Waveform, Waveform, NormalizeOptions]):
    """Bring the peak over all channels to a level, by one gain; silence stays as it is."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the scaled waveform, and measure the gain."""
        import math

        from tonearm_plugins.dsp.level import peak_of

        peak = peak_of(signal.samples)
        if peak == 0:
            return signal
        gain = 10 ** (self.options.peak_db / 20) / peak
        context.measure(gain_db=round(20 * math.log10(gain), 2))
        return Waveform(samples=signal.samples * signal.samples.dtype.type(gain), sample_rate=signal.sample_rate)
