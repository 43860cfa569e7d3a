"""``raw-writer``: samples without a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

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
    dither_problems,
    float_blocks,
    pcm_blocks,
    tag_problems,
)
from tonearm_plugins.formats.codec_limits import RAW
from tonearm_plugins.formats.raw_pcm import Encoding

# libsndfile's name of each type, and the bits that samples are rounded to: 16 before A-law and µ-law, 0 for floats.
_ENCODINGS = {
    "pcm_s8": ("PCM_S8", 8),
    "pcm_u8": ("PCM_U8", 8),
    "pcm_s16": ("PCM_16", 16),
    "pcm_s24": ("PCM_24", 24),
    "pcm_s32": ("PCM_32", 32),
    "mulaw": ("ULAW", 16),
    "alaw": ("ALAW", 16),
    "pcm_f32": ("FLOAT", 0),
    "pcm_f64": ("DOUBLE", 0),
}


@dataclass(frozen=True, kw_only=True)
class RawOptions:
    """Options of ``raw-writer``, which a reader of the file has to know."""

    encoding: Annotated[
        Encoding,
        Meta(description="Type and byte order of the samples, as ffmpeg and pcm-reader name them."),
    ] = "pcm_s16le"
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        yield from dither_problems(self, "float" if self.encoding.startswith("pcm_f") else "PCM")
        yield from tag_problems(self, has_tags=False)


class RawWriter(TaggingEncoder[Waveform, RawOptions]):
    """Write interleaved samples without a header; the file tells neither its sample rate nor its channels."""

    suffixes = (".raw", ".pcm")
    has_tags = False

    def accepts(self, spec: Spec) -> None:
        """Refuse more channels than libsndfile writes."""
        RAW.check(None, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the samples, and measure the number of clipped ones."""
        from tonearm_plugins.formats.sndfile_writing import write

        RAW.check_signal(signal)
        encoding = self.options.encoding
        subtype, bits = _ENCODINGS[encoding.removesuffix("le").removesuffix("be")]
        write(
            sink.path,
            pcm_blocks(signal, bits, context, dither_of(self.options, context))
            if bits
            else float_blocks(signal, "f4" if subtype == "FLOAT" else "f8", context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="RAW",
            subtype=subtype,
            endian="BIG" if encoding.endswith("be") else "LITTLE",
        )
