"""``aiff-writer``: AIFF, and AIFF-C where samples are floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, ItemError, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import Dither, Seed, dither_of, dither_problems, float_blocks, pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits

_LIMITS = Limits(name="AIFF", channels=1024)  # libsndfile's
_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FLOATS = {"FLOAT": "f4", "DOUBLE": "f8"}
_STRINGS = ("title", "artist", "comment", "copyright")  # chunks that the format had before ID3
_MOST = 0xFFFFFFFF - (1 << 20)  # bytes of samples; the rest is for chunks


@dataclass(frozen=True, kw_only=True)
class AiffOptions:
    """Options of ``aiff-writer``."""

    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"],
        Meta(description="How a sample is stored: rounded to 16, 24 or 32 bits, or as 32 or 64-bit float."),
    ] = "PCM_16"
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        yield from dither_problems(self, self.subtype)
        yield from tag_problems(self)


class AiffWriter(TaggingEncoder[Waveform, AiffOptions]):
    """Write an AIFF file of up to 4 GB; samples are rounded, never wrapped, and floats make it AIFF-C."""

    suffixes = (".aiff", ".aif", ".aifc")

    def accepts(self, spec: Spec) -> None:
        """Refuse more channels than there can be."""
        _LIMITS.check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure how many samples were clipped."""
        from tonearm_plugins.formats.sndfile import write
        from tonearm_plugins.formats.tags import write_aiff

        _LIMITS.check_signal(signal)
        subtype = self.options.subtype
        width = _BITS.get(subtype, 0) // 8 or int(_FLOATS[subtype][1])
        if signal.length * signal.channels * width > _MOST:
            raise ItemError("AIFF ends at 4 GB", code="too-long", hint="wav-writer goes on as RF64")
        write(
            sink.path,
            pcm_blocks(signal, _BITS[subtype], context, dither_of(self.options, context))
            if subtype in _BITS
            else float_blocks(signal, _FLOATS[subtype]),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="AIFF",
            subtype=subtype,
            strings={name: tags[name] for name in _STRINGS if name in tags},
        )
        write_aiff(sink.path, tags)
