"""``aiff-writer``: AIFF, or AIFF-C if samples are floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Dither,
    ItemError,
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
    dither_problems,
    float_blocks,
    pcm_blocks,
    tag_problems,
)
from tonearm_plugins.formats.codec_limits import AIFF, AIFF_BYTES

_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FLOATS = {"FLOAT": "f4", "DOUBLE": "f8"}
_STRINGS = ("title", "artist", "comment", "copyright")  # texts that have a chunk of their own


@dataclass(frozen=True, kw_only=True)
class AiffOptions:
    """Options of ``aiff-writer``."""

    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"],
        Meta(description="Sample format: rounded to 16, 24 or 32 bits, or 32-bit or 64-bit float."),
    ] = "PCM_16"
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        yield from dither_problems(self, self.subtype)
        yield from tag_problems(self)


class AiffWriter(TaggingEncoder[Waveform, AiffOptions]):
    """Write an AIFF file of up to 4 GB; integers are rounded and never wrap around, floats are written as AIFF-C."""

    suffixes = (".aiff", ".aif", ".aifc")

    def accepts(self, spec: Spec) -> None:
        """Refuse more channels than libsndfile writes."""
        AIFF.check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_aiff

        AIFF.check_signal(signal)
        subtype = self.options.subtype
        width = _BITS.get(subtype, 0) // 8 or int(_FLOATS[subtype][1])
        if signal.length * signal.channels * width > AIFF_BYTES:
            raise ItemError("AIFF ends at 4 GB", code="too-long", hint="use wav-writer, which continues as RF64")
        write(
            sink.path,
            pcm_blocks(signal, _BITS[subtype], context, dither_of(self.options, context))
            if subtype in _BITS
            else float_blocks(signal, _FLOATS[subtype], context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="AIFF",
            subtype=subtype,
            strings={name: tags[name] for name in _STRINGS if name in tags},
        )
        write_aiff(sink.path, tags)
