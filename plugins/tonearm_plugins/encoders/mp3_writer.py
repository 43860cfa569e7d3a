"""``mp3-writer``: MP3, with no ffmpeg on the machine or with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, Encoder, Item, ItemError, Meta, OptionError, Requirement, Sink, Spec, Waveform
from tonearm_plugins.encoders.clipping import note_clipped
from tonearm_plugins.encoders.tagging import Tags, tags_of, write_id3
from tonearm_plugins.formats.ffmpeg import FFMPEG

MPEG_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MPEG_25 = MPEG_2[:8]

BITRATES: Mapping[int, tuple[int, ...]] = {
    48_000: MPEG_1,
    44_100: MPEG_1,
    32_000: MPEG_1,
    24_000: MPEG_2,
    22_050: MPEG_2,
    16_000: MPEG_2,
    12_000: MPEG_25,
    11_025: MPEG_25,
    8_000: MPEG_25,
}
"""What MP3 has: sample rates in Hz, each with its constant bitrates in kbit/s (ISO 11172-3, 13818-3, and MPEG 2.5)."""

MAX_CHANNELS = 2


@dataclass(frozen=True, kw_only=True)
class Mp3Options:
    """Options of ``mp3-writer``."""

    bitrate: Annotated[
        int | None,
        Meta(
            ge=8,
            le=320,
            description="Constant bitrate in kbit/s, 192 if nothing is said; the nearest that MP3 has at the signal's"
            " rate, which is 160 at most below 32 kHz.",
        ),
    ] = None
    vbr_quality: Annotated[
        float | None, Meta(ge=0, lt=10, description="Variable bitrate: LAME's -V, 0 is best, 9 is small.")
    ] = None
    engine: Annotated[
        Literal["soundfile", "pydub"],
        Meta(description="soundfile needs no ffmpeg and keeps the exact length; pydub goes through ffmpeg."),
    ] = "soundfile"
    tags: Tags = field(default_factory=dict)

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.bitrate is not None and self.vbr_quality is not None:
            yield OptionError(
                "bitrate is constant and vbr_quality variable: it is one or the other", option="vbr_quality"
            )


class Mp3Writer(Encoder[Waveform, Mp3Options]):
    """Write an MP3 file by LAME, of constant or variable bitrate, with ID3 tags."""

    suffixes = (".mp3",)

    def needs(self) -> tuple[Requirement, ...]:
        """Return ffmpeg if pydub is the engine."""
        return (FFMPEG,) if self.options.engine == "pydub" else ()

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        """Write the file and its tags, and measure how many samples were clipped."""
        signal = item.signal
        try:
            self.accepts(Spec(signals=(Waveform,), sample_rate=signal.sample_rate, channels=signal.channels))
        except OptionError as error:
            raise ItemError(error.message, code=error.code, hint=error.hint) from error
        clipped = (self._by_pydub if self.options.engine == "pydub" else self._by_soundfile)(signal, sink)
        write_id3(sink.path, tags_of(item, self.options.tags))
        note_clipped(context, clipped)

    def _bitrate(self, sample_rate: int) -> int:
        wanted = self.options.bitrate or 192
        return min(BITRATES[sample_rate], key=lambda bitrate: abs(bitrate - wanted))

    def _by_soundfile(self, signal: Waveform, sink: Sink) -> int:
        """Encode with the LAME inside libsndfile; return how many samples were clipped."""
        import numpy as np
        import soundfile

        # LAME takes floats: they are limited here, where they can be counted, and not rounded on the way.
        samples = np.clip(signal.samples, -1, 1)
        clipped = int((samples != signal.samples).sum())
        if self.options.vbr_quality is None:
            rates = BITRATES[signal.sample_rate]
            mode, level = "CONSTANT", (rates[-1] - self._bitrate(signal.sample_rate)) / (rates[-1] - rates[0])
        else:
            mode, level = "VARIABLE", self.options.vbr_quality / 10
        with soundfile.SoundFile(
            sink.path,
            "w",
            samplerate=signal.sample_rate,
            channels=signal.channels,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode=mode,
            compression_level=min(level, 0.9999),  # libsndfile refuses 1 itself
        ) as file:
            file.write(samples.T)
        return clipped

    def _by_pydub(self, signal: Waveform, sink: Sink) -> int:
        """Encode with ffmpeg's LAME; return how many samples were clipped."""
        from tonearm_plugins.formats.ffmpeg import export

        quality = self.options.vbr_quality
        return export(
            signal.samples,
            signal.sample_rate,
            sink.path,
            format="mp3",
            bitrate=self._bitrate(signal.sample_rate) if quality is None else None,
            parameters=() if quality is None else ("-q:a", f"{quality:g}"),
        )

    def accepts(self, spec: Spec) -> None:
        """Refuse what MP3 does not have."""
        if spec.channels and spec.channels > MAX_CHANNELS:
            raise OptionError(f"MP3 has one or two channels, not {spec.channels}", code="cannot-encode")
        if spec.sample_rate and spec.sample_rate not in BITRATES:
            near = min(BITRATES, key=lambda rate: (rate < (spec.sample_rate or 0), abs(rate - (spec.sample_rate or 0))))
            raise OptionError(
                f"MP3 has no sample rate of {spec.sample_rate} Hz",
                code="cannot-encode",
                hint=f"put resample with sample_rate: {near} before it",
            )
