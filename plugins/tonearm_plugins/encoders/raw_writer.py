"""``raw-writer``: samples without a header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tonearm.api import (
    Context,
    Meta,
    PcmOptions,
    PcmRounding,
    Sink,
    Spec,
    StartedEncoder,
    TaggingBlockEncoder,
    TagOptions,
    Waveform,
    note_clipped,
)
from tonearm_plugins.formats.raw_pcm import Encoding

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


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
    any_blocks = True
    pipes = True

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return the encoder at work on a file."""
        return _StartedRaw(self.options, sink, context)


class _StartedRaw(StartedEncoder):
    """Raw samples at work, which leave with each block."""

    def __init__(self, options: RawOptions, sink: Sink, context: Context) -> None:
        from tonearm_plugins.formats.raw_pcm import BITS

        self._encoding = options.encoding
        self._context = context
        bits = BITS[options.encoding]
        self._rounding = PcmRounding(bits, options.generator(context)) if bits else None
        self._file = sink.open()

    def write(self, block: Array) -> None:
        """Write a block."""
        from tonearm_plugins.formats.raw_pcm import encode

        values = block.T if self._rounding is None else self._rounding(block)
        data = memoryview(encode(values, self._encoding).tobytes())
        while len(data):
            data = data[self._file.write(data) :]

    def finish(self) -> None:
        """Close the file, and measure the number of clipped samples."""
        self._file.close()
        if self._rounding is not None:
            note_clipped(self._rounding.clipped, self._context)

    def abort(self) -> None:
        """Close the file."""
        self._file.close()
