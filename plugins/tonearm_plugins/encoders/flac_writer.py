"""``flac-writer``: FLAC, lossless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, Encoder, Item, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.clipping import note_clipped
from tonearm_plugins.encoders.tagging import Tags, tags_of, write_vorbis_comments

MAX_CHANNELS = 8
MAX_SAMPLE_RATE = 655_350


@dataclass(frozen=True, kw_only=True)
class FlacOptions:
    """Options of ``flac-writer``."""

    subtype: Annotated[Literal["PCM_16", "PCM_24"], Meta(description="Bits of a sample.")] = "PCM_16"
    compression: Annotated[int, Meta(ge=0, le=8, description="0 is fast, 8 is small; the sound is the same.")] = 5
    tags: Tags = field(default_factory=dict)


class FlacWriter(Encoder[Waveform, FlacOptions]):
    """Write a FLAC file of 16 or 24 bits; samples are rounded, never wrapped."""

    suffixes = (".flac",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        """Write the file and its tags, and measure how many samples were clipped."""
        import soundfile

        from tonearm_plugins.formats.riff import quantize

        signal, subtype = item.signal, self.options.subtype
        values, clipped = quantize(signal.samples, 16 if subtype == "PCM_16" else 24)
        if subtype == "PCM_24":
            values = values << 8  # libsndfile takes 24 bits in the high ones of 32
        soundfile.write(
            sink.path,
            values.T,
            signal.sample_rate,
            format="FLAC",
            subtype=subtype,
            compression_level=self.options.compression / 8,
        )
        write_vorbis_comments(sink.path, tags_of(item, self.options.tags))
        note_clipped(context, clipped)

    def accepts(self, spec: Spec) -> None:
        """Refuse what FLAC cannot hold."""
        if spec.channels and spec.channels > MAX_CHANNELS:
            raise OptionError(f"FLAC has at most {MAX_CHANNELS} channels, not {spec.channels}", code="cannot-encode")
        if spec.sample_rate and spec.sample_rate > MAX_SAMPLE_RATE:
            raise OptionError(
                f"FLAC has rates up to {MAX_SAMPLE_RATE} Hz, not {spec.sample_rate}",
                code="cannot-encode",
                hint="put resample before it",
            )
