"""``time-stretch``: another speed at the same pitch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Spec, Transform, Waveform
from tonearm_plugins.transforms.durations import spec_with_length
from tonearm_plugins.transforms.librosa_effects import N_FFT_DESCRIPTION, NFft, analysis_length


@dataclass(frozen=True, kw_only=True)
class TimeStretchOptions:
    """Options of ``time-stretch``."""

    rate: Annotated[
        float, Meta(ge=0.1, le=10, description="Factor of the speed: 2 is half as long.", examples=[0.5, 1.25])
    ]
    n_fft: Annotated[NFft, Meta(ge=32, le=1 << 17, description=N_FFT_DESCRIPTION)] = None


class TimeStretch(Transform[Waveform, Waveform, TimeStretchOptions]):
    """Change the speed and keep the pitch, by librosa's phase vocoder; n samples become round(n / rate)."""

    keeps_double = True
    instead = "save the sound, and stretch the file"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform at its new speed."""
        from tonearm_plugins.dsp.effects import time_stretch

        samples = time_stretch(signal.samples, self.options.rate, n_fft=analysis_length(signal, self.options.n_fft))
        return Waveform(samples=samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec with the new length, if the old one is known."""
        return spec_with_length(spec, lambda length, _: max(round(length / self.options.rate), 1))
