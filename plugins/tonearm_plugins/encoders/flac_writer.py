"""``flac-writer``: FLAC, lossless at half the size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, PcmOptions, Sink, Waveform, pcm_blocks
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import FLAC

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True, kw_only=True)
class FlacOptions(PcmOptions, SoundTagOptions):
    """Options of ``flac-writer``."""

    subtype: Annotated[
        Literal["PCM_S8", "PCM_16", "PCM_24"], Meta(description="Sample format: rounded to 8, 16 or 24 bits.")
    ] = "PCM_16"
    compression: Annotated[
        int, Meta(ge=0, le=8, description="Compression from 0 (fast) to 8 (small); the sound is the same.")
    ] = 5


class FlacWriter(SoundEncoder[FlacOptions]):
    """Write a FLAC file of up to 8 channels; samples are rounded, never wrap around, and come back bit by bit."""

    suffixes = (".flac",)
    limits = FLAC

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_comments

        write(
            sink.path,
            pcm_blocks(signal, _BITS[self.options.subtype], context, self.options.generator(context)),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="FLAC",
            subtype=self.options.subtype,
            compression_level=self.options.compression / 8,
        )
        write_comments(sink.path, tags, "flac", self.cover)
