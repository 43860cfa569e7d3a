"""``m4a-writer``: AAC or ALAC in MP4, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Dither,
    Meta,
    OptionError,
    RemoveOption,
    Requirement,
    Seed,
    SetOption,
    Sink,
    Spec,
    TaggingEncoder,
    Tags,
    Waveform,
    WithProvenance,
    dither_of,
    float_blocks,
    pcm_blocks,
    tag_problems,
)
from tonearm_plugins.formats.codec_limits import AAC_IN_M4A, ALAC, Limits, aac_bitrate

_BITS = {"PCM_16": 16, "PCM_24": 24}
_PER_CHANNEL = 96  # default bit rate in kbit/s


@dataclass(frozen=True, kw_only=True)
class M4aOptions:
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
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

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
        yield from tag_problems(self)


class M4aWriter(TaggingEncoder[Waveform, M4aOptions]):
    """Write an M4A file of exact length and up to 6 channels, as AAC or lossless ALAC."""

    suffixes = (".m4a", ".m4b")
    requires = (Requirement(name="av", hint="pip install 'tonearm[m4a]'"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse more than 6 channels, and sample rates that the codec does not have."""
        self._limits().check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the bit rate of AAC, or the number of samples clipped for ALAC."""
        from tonearm_plugins.formats import mp4

        self._limits().check_signal(signal)
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
            mp4.check_alac(signal.length, signal.channels)
            bits = _BITS[self.options.subtype]
            mp4.write_alac(
                sink.path,
                pcm_blocks(signal, bits, context, dither_of(self.options, context)),
                sample_rate=signal.sample_rate,
                channels=signal.channels,
                bits=bits,
            )
        mp4.write_tags(sink.path, tags)

    def _limits(self) -> Limits:
        return AAC_IN_M4A if self.options.codec == "aac" else ALAC

    def _bitrate(self, signal: Waveform) -> int:
        """Return the bit rate of AAC in kbit/s, the nearest to the wanted one."""
        wanted = self.options.bitrate or _PER_CHANNEL * signal.channels
        return min(wanted, aac_bitrate(signal.sample_rate, signal.channels))
