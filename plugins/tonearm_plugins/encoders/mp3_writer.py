"""``mp3-writer``: MP3 by LAME, called directly, through libsndfile or through ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    Context,
    Meta,
    OptionError,
    PcmRounding,
    RemoveOption,
    Requirement,
    SetOption,
    Sink,
    Spec,
    StartedEncoder,
    note_clipped,
    rounding,
)
from tonearm_plugins.encoders.sound_tags import SoundBlockEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import MP3, mp3_bitrates
from tonearm_plugins.formats.ffmpeg import FFMPEG

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.lame import Rates, Stream
    from tonearm_plugins.formats.mp3_file import Mp3File

_DEFAULT_BITRATE = 192

_LAMEENC = Requirement(name="lameenc", hint="pip install lameenc, or engine: soundfile, which is slower")

Bitrate = Literal[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320]


@dataclass(frozen=True, kw_only=True)
class Mp3Options(SoundTagOptions):
    """Options of ``mp3-writer``."""

    engine: Annotated[
        Literal["auto", "lameenc", "soundfile", "pydub"],
        Meta(
            description="Library that brings LAME. lameenc is three times as fast as the others. auto is lameenc where"
            " its module has LAME's own functions, as on Linux, and soundfile elsewhere: lameenc's own class takes 16"
            " bits alone. pydub uses ffmpeg, and needs the whole sound."
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


class Mp3Writer(SoundBlockEncoder[Mp3Options]):
    """Write an MP3 file of exact length, with a constant, average or variable bit rate and ID3 tags."""

    suffixes = (".mp3",)
    limits = MP3
    any_blocks = True
    pipes = True

    def needs(self) -> Iterable[Requirement]:
        """Return what the engine needs to be installed."""
        return {"pydub": (FFMPEG,), "lameenc": (_LAMEENC,)}.get(self.options.engine, ())

    def preflight(self) -> None:
        """Check that ffmpeg is installed and has LAME, if the engine is pydub."""
        if self.options.engine == "pydub":
            from tonearm_plugins.formats import ffmpeg

            ffmpeg.require(ffmpeg.find(), container="mp3", codec="libmp3lame")

    def check_blocks(self, spec: Spec) -> None:
        """Refuse the engine pydub, which collects the whole sound."""
        super().check_blocks(spec)
        if self.options.engine == "pydub":
            message = "pydub needs the whole sound, which a stream never has"
            remedies = (SetOption("engine", "auto"),)
            raise OptionError(message, option="engine", code="needs-whole", remedies=remedies)

    def check_pipe(self, spec: Spec) -> None:
        """Refuse the engine pydub, which writes a file."""
        super().check_pipe(spec)
        if self.options.engine == "pydub":
            message = "pydub writes a file, and cannot write into a pipe"
            raise OptionError(message, option="engine", code="needs-file", remedies=(SetOption("engine", "auto"),))

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return LAME at work; measures the bit rate, if it is not variable."""
        from tonearm_plugins.formats.lame import stream_class
        from tonearm_plugins.formats.mp3_file import Mp3File

        rate, channels = spec.sample_rate or 1, spec.channels or 1
        rates = self._rates(rate)
        if rates.bitrate:
            context.measure(bitrate=rates.bitrate)
        id3 = b""
        if tags or self.cover:
            from tonearm_plugins.formats.tags import id3_bytes

            id3 = id3_bytes(tags, self.cover)
        if self.options.engine == "pydub":
            return _StartedFfmpeg(rate, channels, rates, id3, sink, context)
        stream = stream_class(self.options.engine)(rate, channels, rates)
        return _StartedLame(stream, Mp3File(sink.open(), id3, rates, seekable=sink.seekable), context)

    def _rates(self, sample_rate: int) -> Rates:
        """Return the bit rate that MP3 has at this sample rate, the nearest to the wanted one, or the quality."""
        from tonearm_plugins.formats.lame import Rates

        options = self.options
        if options.vbr_quality is not None:
            return Rates("vbr", quality=options.vbr_quality)
        wanted = options.bitrate or options.abr or _DEFAULT_BITRATE
        nearest = min(mp3_bitrates(sample_rate), key=lambda rate: (abs(rate - wanted), -rate))
        return Rates("cbr" if options.abr is None else "abr", nearest)


class _StartedLame(StartedEncoder):
    """LAME at work on one file."""

    def __init__(self, stream: Stream, file: Mp3File, context: Context) -> None:
        self._stream = stream
        self._file = file
        self._context = context
        self._length = self._clipped = 0

    def write(self, block: Array) -> None:
        """Encode a block, and write the frames that are whole."""
        import numpy as np

        low, high = rounding.finite_extent(block)
        if low < -1.0 or high > 1.0:
            self._clipped += rounding.beyond(block, low, high)
            block = np.clip(block, -1.0, 1.0)
        self._length += block.shape[1]
        self._file.write(self._stream.encode(block))

    def finish(self) -> None:
        """Write the last frames and the exact length, and measure the number of clipped samples."""
        self._file.write(self._stream.flush())
        self._file.finish(self._length)
        note_clipped(self._clipped, self._context)

    def abort(self) -> None:
        """Release LAME, and close the file."""
        self._stream.close()
        self._file.close()


class _StartedFfmpeg(StartedEncoder):
    """LAME within ffmpeg, which gets the whole sound at the end."""

    def __init__(self, sample_rate: int, channels: int, rates: Rates, id3: bytes, sink: Sink, context: Context) -> None:
        self._sample_rate = sample_rate
        self._channels = channels
        self._rates = rates
        self._id3 = id3
        self._sink = sink
        self._context = context
        self._rounding = PcmRounding(24)  # pydub takes up to 32 bits, and float32 has no more than 24
        self._blocks: list[Array] = []

    def write(self, block: Array) -> None:
        """Keep a block."""
        self._blocks.append(self._rounding(block))

    def finish(self) -> None:
        """Let ffmpeg write the file, and correct its length; measure the number of clipped samples."""
        from tonearm_plugins.formats import ffmpeg, lame

        rates, sink = self._rates, self._sink
        more = ["-q:a", str(rates.quality)] if rates.mode == "vbr" else []
        more += ["-abr", "1"] if rates.mode == "abr" else []
        ffmpeg.export(
            sink.path,
            self._blocks,
            sample_rate=self._sample_rate,
            channels=self._channels,
            container="mp3",
            codec="libmp3lame",
            bitrate=rates.bitrate or None,
            parameters=[*more, "-af", f"volume={rates.gain:.9g}:precision=float", "-id3v2_version", "0"],
            on_progress=self._context.progress,
        )
        content = lame.corrected(sink.path.read_bytes(), length=sum(map(len, self._blocks)), rates=rates)
        with sink.open() as file:
            file.write(self._id3 + content)
        note_clipped(self._rounding.clipped, self._context)
