"""``pitch-shift``: another pitch at the same speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Transform, Waveform
from tonearm_plugins.transforms.librosa_effects import N_FFT_DESCRIPTION, NFft, analysis_length


@dataclass(frozen=True, kw_only=True)
class PitchShiftOptions:
    """Options of ``pitch-shift``."""

    semitones: Annotated[
        float,
        Meta(
            ge=-36,
            le=36,
            description="Interval in semitones; negative is down, and 12 is an octave.",
            examples=[-12, 3.5],
        ),
    ]
    n_fft: Annotated[NFft, Meta(ge=32, le=1 << 17, description=N_FFT_DESCRIPTION)] = None


class PitchShift(Transform[Waveform, Waveform, PitchShiftOptions]):
    """Change the pitch and keep the speed, by librosa's phase vocoder and soxr; the length does not change."""

    keeps_double = True
    instead = "save the sound, and shift the file"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform at its new pitch."""
        from tonearm_plugins.dsp.effects import pitch_shift

        samples = pitch_shift(
            signal.samples,
            signal.sample_rate,
            self.options.semitones,
            n_fft=analysis_length(signal, self.options.n_fft),
        )
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
