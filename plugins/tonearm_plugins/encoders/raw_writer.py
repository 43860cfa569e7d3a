"""``raw-writer``: samples without a header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tonearm.api import (
    Context,
    Meta,
    PcmOptions,
    SampleFormat,
    Sink,
    Spec,
    StartedEncoder,
    TaggingBlockEncoder,
    TagOptions,
    Waveform,
    note_clipped,
)
from tonearm_plugins.formats.codec_limits import RAW
from tonearm_plugins.formats.raw_pcm import Encoding

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

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


class RawWriter(TaggingBlockEncoder[Waveform, RawOptions]):
    """Write interleaved samples without a header; the file tells neither its sample rate nor its channels."""

    suffixes = (".raw", ".pcm")
    limits = RAW
    any_blocks = True
    pipes = True

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libsndfile at work, which converts samples and writes nothing else."""
        return _StartedRaw(self.options, spec, sink, context)


class _StartedRaw(StartedEncoder):
    """libsndfile at work on one file."""

    def __init__(self, options: RawOptions, spec: Spec, sink: Sink, context: Context) -> None:
        from tonearm_plugins.formats.sndfile_writing import SndfileWriter

        subtype, bits = _ENCODINGS[options.encoding.removesuffix("le").removesuffix("be")]
        self._context = context
        self._samples = SampleFormat(bits or ("f4" if subtype == "FLOAT" else "f8"), options.generator(context))
        self._file = sink.open()
        self._writer = SndfileWriter(
            self._file.write,
            sample_rate=spec.sample_rate or 1,
            channels=spec.channels or 1,
            container="RAW",
            subtype=subtype,
            endian="BIG" if options.encoding.endswith("be") else "LITTLE",
        )

    def write(self, block: Array) -> None:
        """Write a block."""
        self._writer.write(self._samples(block))

    def finish(self) -> None:
        """Write what is left, close the file, and measure the number of clipped samples."""
        self._writer.finish(self._file.close)
        note_clipped(self._samples.clipped, self._context)

    def abort(self) -> None:
        """Release libsndfile, and close the file."""
        self._writer.abort()
        self._file.close()
