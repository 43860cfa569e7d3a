"""``m4a-writer``: AAC or ALAC in MP4, through PyAV. Both give every byte by frames of their own size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    Context,
    Limits,
    Meta,
    OptionError,
    PcmOptions,
    PcmRounding,
    RemoveOption,
    Requirement,
    SetOption,
    Sink,
    Spec,
    StartedEncoder,
    note_clipped,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import AAC_FRAME, AAC_OF_PYAV, ALAC, nearest_aac_bitrate

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_BITS = {"PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True, kw_only=True)
class M4aOptions(PcmOptions, SoundTagOptions):
    """Options of ``m4a-writer``."""

    codec: Annotated[Literal["aac", "alac"], Meta(description="Codec: AAC is lossy and small, ALAC is lossless.")] = (
        "aac"
    )
    bitrate: Annotated[
        int | None,
        Meta(
            ge=8,
            le=3456,
            description="Average bit rate of AAC for all channels together in kbit/s; by default 96 for each channel."
            " A bit rate above 6 bits a sample, the highest that AAC has, is lowered to it.",
        ),
    ] = None
    subtype: Annotated[
        Literal["PCM_16", "PCM_24"], Meta(description="Sample format of ALAC: rounded to 16 or 24 bits.")
    ] = "PCM_16"

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        if self.codec == "alac" and self.bitrate is not None:
            message = "ALAC is lossless, and takes the bit rate that it needs"
            yield OptionError(message, option="bitrate", remedies=(RemoveOption("bitrate"),))
        if self.codec == "aac":
            for name in ("dither", "subtype"):
                if getattr(self, name) not in (False, "PCM_16"):
                    message = f"{name} is only for integers, and AAC takes floats"
                    yield OptionError(message, option=name, remedies=(SetOption("codec", "alac"),))
        yield from super().problems()


class M4aWriter(SoundEncoder[M4aOptions]):
    """Write an M4A file of exact length and up to 6 channels, as AAC or lossless ALAC; in pipes as fragmented MP4."""

    suffixes = (".m4a", ".m4b")
    requires = (Requirement(name="av", hint="pip install 'tonearm[m4a]'"),)
    any_blocks = True
    pipes = True

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of the codec."""
        return AAC_OF_PYAV if self.options.codec == "aac" else ALAC

    def clips(self) -> bool:
        """Return whether samples beyond full scale are clipped: AAC takes floats."""
        return self.options.codec == "alac"

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return the encoder at work; measure the bit rate of AAC, or at the end the samples clipped for ALAC."""
        return _StartedM4a(self, spec, sink, tags, context)

    def bitrate(self, sample_rate: int, channels: int) -> int | None:
        """Return the bit rate of AAC in kbit/s, the nearest to the wanted one; None for ALAC."""
        if self.options.codec == "alac":
            return None
        return nearest_aac_bitrate(self.options.bitrate, sample_rate, channels)


class _StartedM4a(StartedEncoder):
    """AAC or ALAC on its way into a file or a pipe."""

    def __init__(self, writer: M4aWriter, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats import mp4, pyav_writing
        from tonearm_plugins.formats.alac import FRAME

        options = writer.options
        self._sink, self._tags, self._cover, self._context = sink, tags, writer.cover, context
        sample_rate, channels = spec.sample_rate or 0, spec.channels or 0
        bits, bitrate = None, writer.bitrate(sample_rate, channels)
        self._rounding: PcmRounding | None = None
        if bitrate is None:
            bits = _BITS[options.subtype]
            self._rounding = PcmRounding(bits, options.generator(context))
        else:
            context.measure(bitrate=bitrate)
        if sink.seekable:
            target: Any = sink.path
            settings = pyav_writing.file_options(sample_rate)
        else:
            target = mp4.TaggedStart(sink.open().write, tags, self._cover)
            settings = pyav_writing.fragment_options(sample_rate, FRAME if bits else AAC_FRAME)
        self._encoding = pyav_writing.PyavEncoding(
            target,
            "ipod",
            options.codec,
            sample_rate=sample_rate,
            channels=channels,
            bits=bits,
            bitrate=bitrate,
            options=settings,
        )

    def write(self, block: Array) -> None:
        """Encode a block."""
        self._encoding.write(block.astype("f4", copy=False) if self._rounding is None else self._rounding(block).T)

    def finish(self) -> None:
        """Write the end, and the tags of a file."""
        from tonearm_plugins.formats import mp4

        self._encoding.finish()
        if self._rounding is not None:
            note_clipped(self._rounding.clipped, self._context)
        if self._sink.seekable:
            mp4.write_tags(self._sink.path, self._tags, self._cover)

    def abort(self) -> None:
        """Close the container."""
        self._encoding.abort()
