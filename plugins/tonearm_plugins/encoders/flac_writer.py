"""``flac-writer``: FLAC, lossless and half the size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import Dither, Seed, dither_of, pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits

# A frame's header says rates up to 65,535 in Hz, and those above in tens of Hz.
_LOW = Limits(name="FLAC", rates=range(1, 65_536), channels=8)
_HIGH = Limits(name="FLAC", rates=range(65_540, 655_351, 10), channels=8)
_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True, kw_only=True)
class FlacOptions:
    """Options of ``flac-writer``."""

    subtype: Annotated[
        Literal["PCM_S8", "PCM_16", "PCM_24"], Meta(description="Bits that a sample is rounded to: 8, 16 or 24.")
    ] = "PCM_16"
    compression: Annotated[
        int, Meta(ge=0, le=8, description="From 0, fast, to 8, small; the sound is the same bit by bit.")
    ] = 5
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what is wrong with the tags."""
        return tag_problems(self)


class FlacWriter(TaggingEncoder[Waveform, FlacOptions]):
    """Write a FLAC file of up to 8 channels; samples are rounded, never wrapped, and come back bit by bit."""

    suffixes = (".flac",)

    def accepts(self, spec: Spec) -> None:
        """Refuse more than 8 channels, and rates that FLAC cannot say."""
        _limits(spec.sample_rate).check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure how many samples were clipped."""
        from tonearm_plugins.formats.sndfile import write
        from tonearm_plugins.formats.tags import write_comments

        _limits(signal.sample_rate).check_signal(signal)
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


def _limits(sample_rate: int | None) -> Limits:
    return _LOW if sample_rate is None or sample_rate < 65_536 else _HIGH
