"""``ogg-writer``: Vorbis in Ogg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Sink, Waveform, pcm_blocks
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import VORBIS

_BITS = 24


@dataclass(frozen=True, kw_only=True)
class OggOptions(SoundTagOptions):
    """Options of ``ogg-writer``."""

    quality: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="Quality on the scale of oggenc: for stereo at 44,100 Hz, 0 is about 64 kbit/s, 6 is 192 and"
            " 10 is 500.",
        ),
    ] = 6.0


class OggWriter(SoundEncoder[OggOptions]):
    """Write an Ogg Vorbis file of exact length and up to 8 channels; the LFE of 5.1 and more is low-passed."""

    suffixes = (".ogg", ".oga")
    limits = VORBIS

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.channel_order import vorbis_order
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_comments

        order = vorbis_order(signal.channels)
        write(
            sink.path,
            (block[:, order] for block in pcm_blocks(signal, _BITS, context)),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="OGG",
            subtype="VORBIS",
            compression_level=1 - self.options.quality / 10,
        )
        write_comments(sink.path, tags, "vorbis", self.cover)
