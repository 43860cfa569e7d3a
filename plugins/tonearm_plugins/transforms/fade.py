"""``fade``: in at the beginning, out at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Transform, Waveform
from tonearm_plugins.transforms.durations import samples_in


@dataclass(frozen=True, kw_only=True)
class FadeOptions:
    """Options of ``fade``."""

    in_ms: Annotated[float, Meta(ge=0, le=3_600_000, description="How long it takes to rise, in ms.")] = 10.0
    out_ms: Annotated[float, Meta(ge=0, le=3_600_000, description="How long it takes to fall, in ms.")] = 10.0
    shape: Annotated[
        Literal["linear", "cosine", "equal-power", "exponential"],
        Meta(description="Of the gain over time: linear, cosine (no corners), equal-power, exponential (even in dB)."),
    ] = "cosine"


class Fade(Transform[Waveform, Waveform, FadeOptions]):
    """Fade in from nothing and out to nothing; a sound shorter than both fades has both, shortened alike."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the faded waveform: its first and its last sample are 0."""
        from tonearm_plugins.dsp.fades import rise

        rate = signal.sample_rate
        rising, falling = samples_in(rate, ms=self.options.in_ms), samples_in(rate, ms=self.options.out_ms)
        both = rising + falling
        if both > signal.length:
            rising, falling = (signal.length * one // both for one in (rising, falling))
        samples = signal.samples.copy()
        kind, shape = samples.dtype, self.options.shape
        samples[:, :rising] *= rise(rising, shape).astype(kind)
        samples[:, signal.length - falling :] *= rise(falling, shape)[::-1].astype(kind)
        return Waveform(samples=samples, sample_rate=rate)
