"""``ffmpeg-writer``: every container that ffmpeg knows, through pydub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from tonearm.api import Context, Encoder, Item, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.clipping import note_clipped
from tonearm_plugins.encoders.tagging import Tags, tags_of
from tonearm_plugins.formats.ffmpeg import FFMPEG

CONTAINERS = {"m4a": "ipod", "aac": "adts", "mka": "matroska", "wma": "asf"}
"""ffmpeg's names of containers that people know by their suffix."""

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


@dataclass(frozen=True, kw_only=True)
class FfmpegOptions:
    """Options of ``ffmpeg-writer``."""

    format: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9_]+$",
            description="Container, by suffix or ffmpeg's name (ffmpeg -muxers): ogg, opus, m4a, aac, webm, …",
        ),
    ]
    codec: Annotated[
        str | None,
        Meta(pattern="^[A-Za-z0-9_-]+$", description="ffmpeg's encoder, as in libopus; else the container's own."),
    ] = None
    bitrate: Annotated[int | None, Meta(ge=1, le=10_000, description="In kbit/s; the codec's own if not given.")] = None
    parameters: Annotated[list[str], Meta(description="Further arguments of ffmpeg's output, as in ['-q:a', '4'].")] = (
        field(default_factory=list)
    )
    tags: Tags = field(default_factory=dict)


class FfmpegWriter(Encoder[Waveform, FfmpegOptions]):
    """Write any container that ffmpeg knows, from 16-bit samples; needs ffmpeg or imageio-ffmpeg."""

    requires = (FFMPEG,)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        """Write the file with its tags, and measure how many samples were clipped."""
        from tonearm_plugins.formats.ffmpeg import export

        options = self.options
        clipped = export(
            item.signal.samples,
            item.signal.sample_rate,
            sink.path,
            format=CONTAINERS.get(options.format, options.format),
            codec=options.codec,
            bitrate=options.bitrate,
            parameters=options.parameters,
            tags=tags_of(item, options.tags),
        )
        note_clipped(context, clipped)

    def accepts(self, spec: Spec) -> None:
        """Refuse rates that Opus does not have; ffmpeg would resample and not say so."""
        opus = self.options.format == "opus" or self.options.codec in ("libopus", "opus")
        if opus and spec.sample_rate and spec.sample_rate not in OPUS_RATES:
            near = min((rate for rate in OPUS_RATES if rate >= spec.sample_rate), default=48_000)
            raise OptionError(
                f"Opus has no sample rate of {spec.sample_rate} Hz",
                code="cannot-encode",
                hint=f"put resample with sample_rate: {near} before it",
            )
