"""``wav-writer``: WAV, and RF64 where WAV ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Encoder, Item, Meta, Sink, Waveform
from tonearm_plugins.encoders.pcm import note_clipped


@dataclass(frozen=True, kw_only=True)
class WavOptions:
    """Options of ``wav-writer``."""

    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"],
        Meta(description="How a sample is stored: rounded to 16, 24 or 32 bits, or as 32 or 64-bit float."),
    ] = "PCM_16"


class WavWriter(Encoder[Waveform, WavOptions]):
    """Write a WAV file; samples are rounded, never wrapped, and beyond 4 GB it is RF64."""

    suffixes = (".wav",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        """Write the file, and measure how many samples were clipped."""
        from tonearm_plugins.formats.riff import write_wav

        signal = item.signal
        with sink.path.open("wb") as file:
            stats = write_wav(
                file,
                signal.samples,
                sample_rate=signal.sample_rate,
                channels=signal.channels,
                frames=signal.length,
                subtype=self.options.subtype,
            )
        note_clipped(stats.clipped, context)
