"""``mp3-writer``: MP3 by LAME, by itself, inside libsndfile or inside ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tonearm.api import Context, Meta, OptionError, Requirement, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits, as_item_error
from tonearm_plugins.formats.ffmpeg import FFMPEG

_LIMITS = Limits(name="MP3", rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), channels=2)
_BITS = 24  # soundfile and pydub take more than 16, and float32 has no more
_DEFAULT_BITRATE = 192

# Of full scale, −12 dB. LAME's own noise is then 10 dB above that of the 16 bits that lameenc takes, or more, even at
# 320 kbit/s; of quieter sounds it is not.
_LOUD = 0.25

# Bit rates in kbit/s: MPEG-1's from 32 kHz on; MPEG-2's below that, of which LAME takes no more than 64 below 16 kHz.
_MPEG1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG25 = (8, 16, 24, 32, 40, 48, 56, 64)

_LAMEENC = Requirement(name="lameenc", hint="pip install lameenc, or engine: soundfile, which is slower")

Bitrate = Literal[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320]


@dataclass(frozen=True, kw_only=True)
class Mp3Options:
    """Options of ``mp3-writer``."""

    engine: Annotated[
        Literal["auto", "lameenc", "soundfile", "pydub"],
        Meta(
            description="What LAME is called by. lameenc is three times as fast as the others, and takes 16 bits;"
            " soundfile takes 24; auto is lameenc, and soundfile where 16 bits would be heard: of a sound that never"
            " reaches −12 dB of full scale. pydub goes through ffmpeg."
        ),
    ] = "auto"
    bitrate: Annotated[
        Bitrate | None,
        Meta(
            description="Constant bit rate in kbit/s, 192 if nothing is said. MP3 has only 32 to 320 at 32 kHz and"
            " above, 8 to 160 from 16 kHz on, and 8 to 64 below that; the nearest is taken."
        ),
    ] = None
    vbr_quality: Annotated[
        int | None,
        Meta(ge=0, le=9, description="Variable bit rate in place of a constant one: from 0, the best, to 9."),
    ] = None
    abr: Annotated[
        Bitrate | None,
        Meta(description="Average bit rate in kbit/s in place of a constant one; of the same values."),
    ] = None
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        given = [name for name in ("bitrate", "abr", "vbr_quality") if getattr(self, name) is not None]
        if len(given) > 1:
            yield OptionError(
                f"a file has one bit rate, constant (bitrate), average (abr) or variable (vbr_quality), not"
                f" {' and '.join(given)}",
                option=given[-1],
                hint="leave one out",
            )
        yield from tag_problems(self)


class Mp3Writer(TaggingEncoder[Waveform, Mp3Options]):
    """Write an MP3 file that says its exact length, constant or variable in bit rate, with ID3 tags."""

    suffixes = (".mp3",)

    def needs(self) -> Iterable[Requirement]:
        """Return what the engine is."""
        return {"pydub": (FFMPEG,), "lameenc": (_LAMEENC,)}.get(self.options.engine, ())

    def preflight(self) -> None:
        """See that ffmpeg is there and has LAME."""
        if self.options.engine == "pydub":
            from tonearm_plugins.formats import ffmpeg

            ffmpeg.require(ffmpeg.find(), container="mp3", codec="libmp3lame")

    def accepts(self, spec: Spec) -> None:
        """Refuse more than two channels, rates that MP3 does not have, and bit rates too low for an exact length."""
        _LIMITS.check(spec.sample_rate, spec.channels)
        if spec.sample_rate is not None:
            problem = self._problem(spec.sample_rate, spec.channels or 1)
            if problem:
                raise problem

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure the bit rate and how many samples were clipped."""
        _LIMITS.check_signal(signal)
        problem = self._problem(signal.sample_rate, signal.channels)
        if problem:
            raise as_item_error(problem)
        if self.options.vbr_quality is None:
            context.measure(bitrate=self._bitrate(signal.sample_rate))
        engine = self._engine(signal)
        {"lameenc": self._by_lameenc, "soundfile": self._by_soundfile, "pydub": self._by_pydub}[engine](
            signal, sink, tags, context
        )

    def _engine(self, signal: Waveform) -> str:
        """Return the engine of a sound: lameenc unless 16 bits are too few, or it is not here."""
        if self.options.engine != "auto":
            return self.options.engine
        from tonearm_plugins.dsp.levels import peak

        fine = not self._too_low(signal.sample_rate, signal.channels)
        if not _LAMEENC.is_met() or (fine and 0 < peak(signal.samples) < _LOUD):
            return "soundfile"
        return "lameenc"

    def _by_lameenc(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats import lame

        content = lame.encode(
            pcm_blocks(signal, lame.BITS, context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            length=signal.length,
            **self._rates(signal),
        )
        self._save(content, sink, tags)

    def _rates(self, signal: Waveform) -> dict[str, int | None]:
        """Return the bit rate as LAME has it, constant or average, or the quality."""
        options = self.options
        if options.vbr_quality is not None:
            return {"vbr_quality": options.vbr_quality}
        return {"bitrate" if options.abr is None else "abr": self._bitrate(signal.sample_rate)}

    def _save(self, content: bytes, sink: Sink, tags: Mapping[str, str]) -> None:
        """Write a file's content with its tags before it."""
        with sink.open() as file:
            if tags:
                from tonearm_plugins.formats.tags import id3_bytes

                file.write(id3_bytes(tags))
            file.write(content)

    def _by_soundfile(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats.sndfile import write
        from tonearm_plugins.formats.tags import write_id3

        options = self.options
        if options.vbr_quality is None:
            # libsndfile spreads 0 to 1 evenly over the bit rates, the highest first, and refuses 1 itself.
            rates = _bitrates(signal.sample_rate)
            level = min((rates[-1] - self._bitrate(signal.sample_rate)) / (rates[-1] - rates[0]), 0.999)
            mode = "CONSTANT" if options.abr is None else "AVERAGE"
        else:
            level, mode = options.vbr_quality / 10, "VARIABLE"
        write(
            sink.path,
            pcm_blocks(signal, _BITS, context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="MP3",
            subtype="MPEG_LAYER_III",
            compression_level=level,
            bitrate_mode=mode,
        )
        write_id3(sink.path, tags)

    def _by_pydub(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats import ffmpeg, lame

        options = self.options
        more = [] if options.vbr_quality is None else ["-q:a", str(options.vbr_quality)]
        more += [] if options.abr is None else ["-abr", "1"]
        ffmpeg.export(
            sink.path,
            pcm_blocks(signal, _BITS, context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="mp3",
            codec="libmp3lame",
            bitrate=self._bitrate(signal.sample_rate) if options.vbr_quality is None else None,
            parameters=[*more, "-id3v2_version", "0"],
        )
        content = lame.corrected(sink.path.read_bytes(), length=signal.length, **self._rates(signal))
        self._save(content, sink, tags)

    def _bitrate(self, sample_rate: int) -> int:
        """Return the bit rate that MP3 has at this sample rate, the nearest to what was asked for."""
        wanted = self.options.bitrate or self.options.abr or _DEFAULT_BITRATE
        return min(_bitrates(sample_rate), key=lambda rate: (abs(rate - wanted), -rate))

    def _problem(self, sample_rate: int, channels: int) -> OptionError | None:
        """Say if the engine cannot have the bit rate."""
        if self.options.engine == "soundfile" or (self.options.engine == "auto" and not _LAMEENC.is_met()):
            return self._too_low(sample_rate, channels)
        return None

    def _too_low(self, sample_rate: int, channels: int) -> OptionError | None:
        """Say if a frame is too small for LAME's own, which has the length; others than libsndfile make it larger."""
        if self.options.vbr_quality is not None or self.options.abr is not None:
            return None
        bitrate = self._bitrate(sample_rate)
        enough = [rate for rate in _bitrates(sample_rate) if _holds_length(rate, sample_rate, channels)]
        if bitrate in enough:
            return None
        return OptionError(
            f"{bitrate} kbit/s at {sample_rate} Hz leaves no room for the exact length of the sound",
            option="bitrate",
            hint=f"bitrate: {enough[0]}, or engine: lameenc, which finds the room",
            code="bitrate-too-low",
        )


def _bitrates(sample_rate: int) -> tuple[int, ...]:
    if sample_rate >= 32000:
        return _MPEG1
    return _MPEG2 if sample_rate >= 16000 else _MPEG25


def _holds_length(bitrate: int, sample_rate: int, channels: int) -> bool:
    """Say whether LAME's frame fits into one of this bit rate: 156 bytes, after the header and side information."""
    mpeg1 = sample_rate >= 32000
    side = (17, 32)[channels - 1] if mpeg1 else (9, 17)[channels - 1]
    return (144 if mpeg1 else 72) * bitrate * 1000 // sample_rate >= 4 + side + 156
