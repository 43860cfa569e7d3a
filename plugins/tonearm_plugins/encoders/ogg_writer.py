"""``ogg-writer``: Vorbis in Ogg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Sink, Spec, StartedEncoder
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import VORBIS

_SHORTEST = 4096
"""Samples that libvorbis gets at once. It makes up what came before the sound from all that it has, as soon as that is
more than its longest block, 2,048 samples. So its bytes would depend on how the start is cut."""


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
    any_blocks = True
    pipes = True

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libsndfile's encoder of Vorbis, on pages of ours."""
        from tonearm_plugins.encoders.ogg_encoding import StartedOgg
        from tonearm_plugins.formats.ogg_sound import Vorbis

        return StartedOgg(
            spec,
            sink,
            context,
            codec=Vorbis(),
            subtype="VORBIS",
            compression_level=1 - self.options.quality / 10,
            tags=tags,
            cover=self.cover,
            shortest=_SHORTEST,
        )
