"""``mu-law-decode``: from the classes, or companded values, of WaveNet and its like to a waveform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, ItemError, Meta, Transform, Waveform


@dataclass(frozen=True, kw_only=True)
class MuLawDecodeOptions:
    """Options of ``mu-law-decode``."""

    values: Annotated[
        Literal["indices", "companded"],
        Meta(
            description="What the array holds: class indices, which full_scale: 1 in the decoder leaves as they are, or"
            " companded values from -1 to 1."
        ),
    ]
    quantization_channels: Annotated[
        int, Meta(ge=2, le=1 << 16, description="How many classes the model has; mu is one less.")
    ] = 256


class MuLawDecode(Transform[Waveform, Waveform, MuLawDecodeOptions]):
    """Expand mu-law as WaveNet and torchaudio have it; for the bytes of G.711, pcm-reader has encoding: mulaw."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform; of class indices it is float32."""
        from tonearm_plugins.dsp.mu_law import decoded, expanded

        indices = self.options.values == "indices"
        try:
            samples = (decoded if indices else expanded)(signal.samples, self.options.quantization_channels)
        except ValueError as error:
            hint = "full_scale: 1 in the decoder leaves whole numbers as they are" if indices else "values: indices"
            raise ItemError(
                str(error), code="not-mu-law", hint=f"{hint}; quantization_channels says how many"
            ) from error
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
