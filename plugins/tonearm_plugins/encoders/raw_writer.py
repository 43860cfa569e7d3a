"""``raw-writer``: samples without a header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, PcmOptions, Sink, TaggingEncoder, TagOptions, Waveform, float_blocks, pcm_blocks
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
class RawOptions(PcmOptions, TagOptions):
    """Options of ``raw-writer``, which a reader of the file has to know."""

    encoding: Annotated[
        Encoding,
        Meta(description="Type and byte order of the samples, as ffmpeg and pcm-reader name them."),
    ] = "pcm_s16le"

    @property
    def has_tags(self) -> bool:
        """Whether the format has a place for tags."""
        return False

    def float_format(self) -> str:
        """Return "float" if samples are not rounded."""
        return "float" if self.encoding.startswith("pcm_f") else ""


class RawWriter(TaggingEncoder[Waveform, RawOptions]):
    """Write interleaved samples without a header; the file tells neither its sample rate nor its channels."""

    suffixes = (".raw", ".pcm")
    limits = RAW

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the samples, and measure the number of clipped ones."""
        from tonearm_plugins.formats.sndfile_writing import write

        encoding = self.options.encoding
        subtype, bits = _ENCODINGS[encoding.removesuffix("le").removesuffix("be")]
        write(
            sink.path,
            pcm_blocks(signal, bits, context, self.options.generator(context))
            if bits
            else float_blocks(signal, "f4" if subtype == "FLOAT" else "f8", context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="RAW",
            subtype=subtype,
            endian="BIG" if encoding.endswith("be") else "LITTLE",
        )
