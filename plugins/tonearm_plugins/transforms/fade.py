"""``fade``: a fade-in at the beginning and a fade-out at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Milliseconds, Transform, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples


@dataclass(frozen=True, kw_only=True)
class FadeOptions:
    """Options of ``fade``."""

    in_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Duration of the fade-in in ms.", examples=[20, "0.5 s"])
    ] = 10.0
    out_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Duration of the fade-out in ms.", examples=[20, "0.5 s"])
    ] = 10.0
    shape: Annotated[
        Literal["linear", "cosine", "equal-power", "exponential"],
        Meta(
            description="Shape of the gain over time: linear, cosine (no corners), equal-power, exponential (linear"
            " in dB)."
        ),
    ] = "cosine"


class Fade(Transform[Waveform, Waveform, FadeOptions]):
    """Fade in from silence and out to silence; if the waveform is shorter than both fades, both are shortened."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the faded waveform, whose first and last samples are 0."""
        from tonearm_plugins.dsp.fades import fade_in

        rate = signal.sample_rate
        rising = duration_in_samples(rate, ms=self.options.in_ms)
        falling = duration_in_samples(rate, ms=self.options.out_ms)
        both = rising + falling
        if both > signal.length:
            rising, falling = (signal.length * one // both for one in (rising, falling))
        samples = signal.samples.copy()
        kind, shape = samples.dtype, self.options.shape
        samples[:, :rising] *= fade_in(rising, shape).astype(kind)
        samples[:, signal.length - falling :] *= fade_in(falling, shape)[::-1].astype(kind)
        return Waveform(samples=samples, sample_rate=rate)
