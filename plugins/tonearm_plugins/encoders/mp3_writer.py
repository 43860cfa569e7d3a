"""``mp3-writer``: MP3 by LAME, called directly, through libsndfile or through ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    Context,
    Meta,
    OptionError,
    RemoveOption,
    Requirement,
    SetOption,
    Sink,
    Spec,
    StartedEncoder,
    UsageError,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import MP3, mp3_bitrates
from tonearm_plugins.formats.ffmpeg import FFMPEG

if TYPE_CHECKING:
    from tonearm_plugins.formats.lame import Rate

_DEFAULT_BITRATE = 192

_LAMEENC = Requirement(name="lameenc", hint="pip install lameenc, or engine: soundfile")

Bitrate = Literal[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320]


@dataclass(frozen=True, kw_only=True)
class Mp3Options(SoundTagOptions):
    """Options of ``mp3-writer``."""

    engine: Annotated[
        Literal["auto", "lameenc", "soundfile", "pydub"],
        Meta(
            description="Library that has LAME. auto is lameenc, or soundfile where lameenc is not installed or hides"
            " LAME's functions, as on Windows. Both take floats and give the same sound. pydub uses ffmpeg; it cannot"
            " write into a pipe."
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
    any_blocks = True
    pipes = True

    def needs(self) -> Iterable[Requirement]:
        """Return what the engine needs to be installed."""
        return {"pydub": (FFMPEG,), "lameenc": (_LAMEENC,)}.get(self.options.engine, ())

    def preflight(self) -> None:
        """Check that the engine has LAME."""
        if self.options.engine == "lameenc":
            from tonearm_plugins.formats import lame

            if lame.library() is None:
                message = "this lameenc does not give access to LAME's functions"
                remedies = (SetOption("engine", "soundfile"),)
                raise UsageError(message, code="missing-requirement", remedies=remedies)
        if self.options.engine == "pydub":
            from tonearm_plugins.formats import ffmpeg

            ffmpeg.require(ffmpeg.find(), container="mp3", codec="libmp3lame")

    def check_pipe(self, spec: Spec) -> None:
        """Refuse the engine pydub, which writes a file."""
        super().check_pipe(spec)
        if self.options.engine == "pydub":
            message = "pydub writes a file, and cannot write into a pipe"
            remedies = (RemoveOption("engine"), SetOption("engine", "soundfile"))
            raise OptionError(message, option="engine", code="needs-file", remedies=remedies)

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return the encoder at work on a file, and measure the bit rate."""
        from tonearm_plugins.encoders import mp3_engines

        sample_rate, channels = spec.sample_rate or 0, spec.channels or 0
        rate = self._rate(sample_rate)
        if rate.mode != "vbr":
            context.measure(bitrate=rate.bitrate)
        head = b""
        if tags or self.cover:
            from tonearm_plugins.formats.tags import id3_bytes

            head = id3_bytes(tags, self.cover)
        if self.options.engine == "pydub":
            return mp3_engines.ByPydub(rate, sample_rate, channels, sink, head, context)
        engine = mp3_engines.by_lame if self._uses_lame() else mp3_engines.by_libsndfile
        return mp3_engines.StartedMp3(engine(rate, sample_rate, channels), rate, sink, head, context)

    def _uses_lame(self) -> bool:
        """Return whether LAME is called directly, as what is installed and the options decide."""
        from tonearm_plugins.formats import lame

        if self.options.engine == "auto":
            return lame.library() is not None
        return self.options.engine == "lameenc"

    def _rate(self, sample_rate: int) -> Rate:
        """Return the bit rate of a sound."""
        from tonearm_plugins.formats.lame import Rate

        options = self.options
        if options.vbr_quality is not None:
            return Rate("vbr", quality=options.vbr_quality)
        return Rate("cbr" if options.abr is None else "abr", self._bitrate(sample_rate))

    def _bitrate(self, sample_rate: int) -> int:
        """Return the bit rate that MP3 has at this sample rate, the nearest to the wanted one."""
        wanted = self.options.bitrate or self.options.abr or _DEFAULT_BITRATE
        return min(mp3_bitrates(sample_rate), key=lambda rate: (abs(rate - wanted), -rate))
