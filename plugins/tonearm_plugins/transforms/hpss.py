"""``hpss``: what sounds on, or what strikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Transform, Waveform
from tonearm_plugins.transforms.librosa_effects import N_FFT_TEXT, NFft, n_fft_of


@dataclass(frozen=True, kw_only=True)
class HpssOptions:
    """Options of ``hpss``."""

    keep: Annotated[
        Literal["harmonic", "percussive"],
        Meta(description="harmonic is what sounds on: tones, voices; percussive what strikes: drums, clicks."),
    ]
    margin: Annotated[
        float,
        Meta(
            ge=1,
            le=100,
            description="How much more of one than of the other it must be; above 1, what is neither goes.",
        ),
    ] = 1.0
    n_fft: Annotated[NFft, Meta(ge=32, le=1 << 17, description=N_FFT_TEXT)] = None


class Hpss(Transform[Waveform, Waveform, HpssOptions]):
    """Keep harmonic or percussive sound, by librosa's median filters; the length stays exactly."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return one part of the waveform."""
        from tonearm_plugins.dsp.effects import separated

        samples = separated(
            signal.samples,
            percussive=self.options.keep == "percussive",
            margin=self.options.margin,
            n_fft=n_fft_of(signal, self.options.n_fft),
        )
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
