"""``mp3-writer``: MP3 by LAME, called directly, through libsndfile or through ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Meta,
    OptionError,
    RemoveOption,
    Requirement,
    SetOption,
    Sink,
    Spec,
    Waveform,
    pcm_blocks,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import MP3, mp3_bitrates
from tonearm_plugins.formats.ffmpeg import FFMPEG

_BITS = 24  # for soundfile and pydub, which take more than 16; float32 has no more
_DEFAULT_BITRATE = 192

# Peak of −12 dB. From there on, LAME's own noise is at least 10 dB above that of the 16 bits that lameenc takes, even
# at 320 kbit/s. In quieter sounds the rounding would be heard.
_LOUD = 0.25

_LAMEENC = Requirement(name="lameenc", hint="pip install lameenc, or engine: soundfile, which is slower")

Bitrate = Literal[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320]


@dataclass(frozen=True, kw_only=True)
class Mp3Options(SoundTagOptions):
    """Options of ``mp3-writer``."""

    engine: Annotated[
        Literal["auto", "lameenc", "soundfile", "pydub"],
        Meta(
            description="Library that calls LAME. lameenc is three times as fast as the others and takes 16 bits;"
            " soundfile takes 24. auto is lameenc, or soundfile for a sound that never reaches −12 dB of full scale,"
            " where 16 bits could be heard. pydub uses ffmpeg."
        ),
    ] = "auto"
    bitrate: Annotated[
        Bitrate | None,
        Meta(
            description="Constant bit rate in kbit/s, 192 by default. MP3 has 32 to 320 from 32 kHz on, 8 to 160 from"
            " 16 kHz on, and 8 to 64 below that; the nearest one is used."
        ),
    ] = None
    vbr_quality: Annotated[
        int | None,
        Meta(
            ge=0,
            le=9,
            description="Quality of a variable bit rate, used in place of a constant one: from 0 (best) to 9.",
        ),
    ] = None
    abr: Annotated[
        Bitrate | None,
        Meta(description="Average bit rate in kbit/s, used in place of a constant one; it has the same values."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        given = [name for name in ("bitrate", "abr", "vbr_quality") if getattr(self, name) is not None]
        if len(given) > 1:
            yield OptionError(
                f"a file has one bit rate, constant (bitrate), average (abr) or variable (vbr_quality), not"
                f" {' and '.join(given)}",
                option=given[-1],
                remedies=tuple(RemoveOption(name) for name in given[1:]),
            )
        yield from super().problems()


class Mp3Writer(SoundEncoder[Mp3Options]):
    """Write an MP3 file of exact length, with a constant, average or variable bit rate and ID3 tags."""

    suffixes = (".mp3",)
    limits = MP3

    def needs(self) -> Iterable[Requirement]:
        """Return what the engine needs to be installed."""
        return {"pydub": (FFMPEG,), "lameenc": (_LAMEENC,)}.get(self.options.engine, ())

    def preflight(self) -> None:
        """Check that ffmpeg is installed and has LAME, if the engine is pydub."""
        if self.options.engine == "pydub":
            from tonearm_plugins.formats import ffmpeg

            ffmpeg.require(ffmpeg.find(), container="mp3", codec="libmp3lame")

    def accepts(self, spec: Spec) -> None:
        """Refuse what MP3 cannot hold, and bit rates too low for an exact length."""
        super().accepts(spec)
        if spec.sample_rate is not None:
            problem = self._problem(spec.sample_rate, spec.channels or 1)
            if problem:
                raise problem

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the bit rate and the number of clipped samples."""
        if self.options.vbr_quality is None:
            context.measure(bitrate=self._bitrate(signal.sample_rate))
        engine = self._engine(signal)
        {"lameenc": self._by_lameenc, "soundfile": self._by_soundfile, "pydub": self._by_pydub}[engine](
            signal, sink, tags, context
        )

    def _engine(self, signal: Waveform) -> str:
        """Return the engine for a sound: lameenc, unless 16 bits are too few or it is not installed."""
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
        """Return the bit rate, constant or average, or the quality, as arguments of `lame`."""
        options = self.options
        if options.vbr_quality is not None:
            return {"vbr_quality": options.vbr_quality}
        return {"bitrate" if options.abr is None else "abr": self._bitrate(signal.sample_rate)}

    def _save(self, content: bytes, sink: Sink, tags: Mapping[str, str]) -> None:
        """Write the tags, then the content of the file."""
        with sink.open() as file:
            if tags or self.cover:
                from tonearm_plugins.formats.tags import id3_bytes

                file.write(id3_bytes(tags, self.cover))
            file.write(content)

    def _by_soundfile(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_id3

        options = self.options
        if options.vbr_quality is None:
            # libsndfile spreads 0 to 1 evenly over the bit rates, the highest first, and refuses exactly 1.
            rates = mp3_bitrates(signal.sample_rate)
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
        write_id3(sink.path, tags, self.cover)

    def _by_pydub(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats import ffmpeg, lame

        options = self.options
        more = [] if options.vbr_quality is None else ["-q:a", str(options.vbr_quality)]
        more += [] if options.abr is None else ["-abr", "1"]
        ffmpeg.export(
            sink.path,
            pcm_blocks(signal, _BITS, context, reports=False),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="mp3",
            codec="libmp3lame",
            bitrate=self._bitrate(signal.sample_rate) if options.vbr_quality is None else None,
            parameters=[*more, "-id3v2_version", "0"],
            on_progress=context.progress,
        )
        content = lame.corrected(sink.path.read_bytes(), length=signal.length, **self._rates(signal))
        self._save(content, sink, tags)

    def _bitrate(self, sample_rate: int) -> int:
        """Return the bit rate that MP3 has at this sample rate, the nearest to the wanted one."""
        wanted = self.options.bitrate or self.options.abr or _DEFAULT_BITRATE
        return min(mp3_bitrates(sample_rate), key=lambda rate: (abs(rate - wanted), -rate))

    def _problem(self, sample_rate: int, channels: int) -> OptionError | None:
        """Return the error for a bit rate that is too low for the engine; None if it is not."""
        if self.options.engine == "soundfile" or (self.options.engine == "auto" and not _LAMEENC.is_met()):
            return self._too_low(sample_rate, channels)
        return None

    def _too_low(self, sample_rate: int, channels: int) -> OptionError | None:
        """Return the error for a bit rate whose frames cannot hold LAME's frame of information; None if they can.

        That frame has the exact length. Other engines than libsndfile enlarge it.
        """
        if self.options.vbr_quality is not None or self.options.abr is not None:
            return None
        from tonearm_plugins.formats.mpeg_audio import holds_info

        bitrate = self._bitrate(sample_rate)
        enough = [rate for rate in mp3_bitrates(sample_rate) if holds_info(rate, sample_rate, channels)]
        if bitrate in enough:
            return None
        return OptionError(
            f"{bitrate} kbit/s at {sample_rate} Hz leaves no room for the exact length of the sound",
            option="bitrate",
            remedies=(SetOption("bitrate", enough[0]), SetOption("engine", "lameenc", "which finds the room")),
            code="bitrate-too-low",
        )
