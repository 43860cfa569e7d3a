"""``pitch-shift``: higher or lower at the same speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Transform, Waveform
from tonearm_plugins.transforms.librosa_effects import N_FFT_TEXT, NFft, n_fft_of


@dataclass(frozen=True, kw_only=True)
class PitchShiftOptions:
    """Options of ``pitch-shift``."""

    semitones: Annotated[
        float, Meta(ge=-36, le=36, description="How much higher; negative is lower. 12 are an octave.")
    ]
    n_fft: Annotated[NFft, Meta(ge=32, le=1 << 17, description=N_FFT_TEXT)] = None


class PitchShift(Transform[Waveform, Waveform, PitchShiftOptions]):
    """Play higher or lower at the same speed, by librosa's phase vocoder and soxr; the length stays exactly."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform at its new pitch."""
        from tonearm_plugins.dsp.effects import pitch_shifted

        samples = pitch_shifted(
            signal.samples,
            signal.sample_rate,
            self.options.semitones,
            n_fft=n_fft_of(signal, self.options.n_fft),
        )
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
