"""``m4a-writer``: AAC or ALAC in MP4, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, Meta, OptionError, Requirement, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import Dither, Seed, dither_of, float_blocks, pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits

_AAC = Limits(
    name="AAC",
    rates=(7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    channels=6,
)
_ALAC = Limits(name="M4A", rates=range(1, 384_001), channels=6)
_BITS = {"PCM_16": 16, "PCM_24": 24}
_EACH = 96  # kbit/s of a channel, if nothing is said
_FRAME = 6144  # bits of a channel in a frame of 1024 samples, at most (ISO/IEC 14496-3)


@dataclass(frozen=True, kw_only=True)
class M4aOptions:
    """Options of ``m4a-writer``."""

    codec: Annotated[Literal["aac", "alac"], Meta(description="AAC is lossy and small, ALAC is lossless.")] = "aac"
    bitrate: Annotated[
        int | None,
        Meta(
            ge=8,
            le=3456,
            description="Of AAC, in kbit/s, all channels together, on average; 96 of each if nothing is said. It has at"
            " most 6 bits a sample, and that is taken of more.",
        ),
    ] = None
    subtype: Annotated[
        Literal["PCM_16", "PCM_24"], Meta(description="Bits that a sample is rounded to in ALAC: 16 or 24.")
    ] = "PCM_16"
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.codec == "alac" and self.bitrate is not None:
            yield OptionError(
                "ALAC is lossless, and takes the bit rate that it needs", option="bitrate", hint="leave bitrate out"
            )
        if self.codec == "aac":
            for name in ("dither", "subtype"):
                if getattr(self, name) not in (False, "PCM_16"):
                    yield OptionError(
                        f"{name} is for what is rounded, but AAC takes floats", option=name, hint="codec: alac"
                    )
        yield from tag_problems(self)


class M4aWriter(TaggingEncoder[Waveform, M4aOptions]):
    """Write an M4A file of exact length, AAC or lossless ALAC, up to 6 channels."""

    suffixes = (".m4a", ".m4b")
    requires = (Requirement(name="av", hint="pip install 'tonearm[m4a]'"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse more than 6 channels, and rates that the codec does not have."""
        self._limits().check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure the bit rate of AAC, or how many samples ALAC clipped."""
        from tonearm_plugins.formats import mp4

        self._limits().check_signal(signal)
        if self.options.codec == "aac":
            bitrate = self._bitrate(signal)
            context.measure(bitrate=bitrate)
            mp4.write_aac(
                sink.path,
                float_blocks(signal, "f4"),
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
        return _AAC if self.options.codec == "aac" else _ALAC

    def _bitrate(self, signal: Waveform) -> int:
        """Return the bit rate of AAC in kbit/s, the nearest that it has to what was asked for."""
        most = _FRAME * signal.sample_rate * signal.channels // 1024 // 1000
        return min(self.options.bitrate or _EACH * signal.channels, most)
