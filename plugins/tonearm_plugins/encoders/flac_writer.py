"""``flac-writer``: FLAC, lossless at half the size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Dither,
    Meta,
    OptionError,
    Seed,
    Sink,
    Spec,
    TaggingEncoder,
    Tags,
    Waveform,
    WithProvenance,
    dither_of,
    pcm_blocks,
    tag_problems,
)
from tonearm_plugins.formats import codec_limits

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True, kw_only=True)
class FlacOptions:
    """Options of ``flac-writer``."""

    subtype: Annotated[
        Literal["PCM_S8", "PCM_16", "PCM_24"], Meta(description="Sample format: rounded to 8, 16 or 24 bits.")
    ] = "PCM_16"
    compression: Annotated[
        int, Meta(ge=0, le=8, description="Compression from 0 (fast) to 8 (small); the sound is the same.")
    ] = 5
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each tag that cannot be written."""
        return tag_problems(self)


class FlacWriter(TaggingEncoder[Waveform, FlacOptions]):
    """Write a FLAC file of up to 8 channels; samples are rounded, never wrap around, and come back bit by bit."""

    suffixes = (".flac",)

    def accepts(self, spec: Spec) -> None:
        """Refuse more than 8 channels, and sample rates that FLAC cannot hold."""
        codec_limits.flac(spec.sample_rate).check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_comments

        codec_limits.flac(signal.sample_rate).check_signal(signal)
        write(
            sink.path,
            pcm_blocks(signal, _BITS[self.options.subtype], context, dither_of(self.options, context)),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="FLAC",
            subtype=self.options.subtype,
            compression_level=self.options.compression / 8,
        )
        write_comments(sink.path, tags, "flac")
