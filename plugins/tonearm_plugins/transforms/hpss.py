"""``hpss``: harmonic or percussive sound alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Transform, Waveform
from tonearm_plugins.transforms.librosa_effects import N_FFT_DESCRIPTION, NFft, analysis_length


@dataclass(frozen=True, kw_only=True)
class HpssOptions:
    """Options of ``hpss``."""

    keep: Annotated[
        Literal["harmonic", "percussive"],
        Meta(description="Part to keep: harmonic (tones, voices) or percussive (drums, clicks)."),
    ]
    margin: Annotated[
        float,
        Meta(
            ge=1,
            le=100,
            description="Factor by which one part must exceed the other; above 1, what is neither is dropped.",
        ),
    ] = 1.0
    n_fft: Annotated[NFft, Meta(ge=32, le=1 << 17, description=N_FFT_DESCRIPTION)] = None


class Hpss(Transform[Waveform, Waveform, HpssOptions]):
    """Keep the harmonic or the percussive part, by librosa's median filters; the length does not change."""

    keeps_double = True
    instead = "save the sound, and separate the file"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return one part of the waveform."""
        from tonearm_plugins.dsp.effects import hpss

        samples = hpss(
            signal.samples,
            percussive=self.options.keep == "percussive",
            margin=self.options.margin,
            n_fft=analysis_length(signal, self.options.n_fft),
            on_progress=context.progress,
        )
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
