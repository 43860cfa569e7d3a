"""``m4a-writer``: AAC or ALAC in MP4, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Limits,
    Meta,
    OptionError,
    PcmOptions,
    RemoveOption,
    Requirement,
    SetOption,
    Sink,
    Spec,
    Waveform,
    float_blocks,
    pcm_blocks,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import AAC_IN_M4A, ALAC, aac_bitrate

_BITS = {"PCM_16": 16, "PCM_24": 24}
_PER_CHANNEL = 96  # default bit rate in kbit/s


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
    """Write an M4A file of exact length and up to 6 channels, as AAC or lossless ALAC."""

    suffixes = (".m4a", ".m4b")
    requires = (Requirement(name="av", hint="pip install 'tonearm[m4a]'"),)

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of the codec."""
        return AAC_IN_M4A if self.options.codec == "aac" else ALAC

    def accepts(self, spec: Spec) -> None:
        """Refuse what the codec cannot hold, and a last frame of ALAC that is too short for its encoder."""
        super().accepts(spec)
        if self.options.codec == "alac" and spec.length is not None and spec.channels is not None:
            from tonearm_plugins.formats.mp4 import check_alac

            check_alac(spec.length, spec.channels)

    def clips(self) -> bool:
        """Return whether samples beyond full scale are clipped: AAC takes floats."""
        return self.options.codec == "alac"

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the bit rate of AAC, or the number of samples clipped for ALAC."""
        from tonearm_plugins.formats import mp4

        if self.options.codec == "aac":
            bitrate = self._bitrate(signal)
            context.measure(bitrate=bitrate)
            mp4.write_aac(
                sink.path,
                float_blocks(signal, "f4", context),
                sample_rate=signal.sample_rate,
                channels=signal.channels,
                bitrate=bitrate,
            )
        else:
            bits = _BITS[self.options.subtype]
            mp4.write_alac(
                sink.path,
                pcm_blocks(signal, bits, context, self.options.generator(context)),
                sample_rate=signal.sample_rate,
                channels=signal.channels,
                bits=bits,
            )
        mp4.write_tags(sink.path, tags, self.cover)

    def _bitrate(self, signal: Waveform) -> int:
        """Return the bit rate of AAC in kbit/s, the nearest to the wanted one."""
        wanted = self.options.bitrate or _PER_CHANNEL * signal.channels
        return min(wanted, aac_bitrate(signal.sample_rate, signal.channels))
