"""Engines of ``mp3-writer``: LAME called directly, by libsndfile, or by ffmpeg through pydub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tonearm.api import Context, PcmRounding, Sink, StartedEncoder, note_clipped, rounding
from tonearm_plugins.formats.codec_limits import mp3_bitrates
from tonearm_plugins.formats.mp3_file import Mp3File

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.lame import Rate

_BITS = 24  # for pydub; float32 has no more


class Mp3Engine(Protocol):
    """LAME at work on one sound: floats within ±1.0 in, the bytes of frames out."""

    def encode(self, block: Array, /) -> bytes:
        """Return what a block (channels, samples) makes complete."""

    def flush(self) -> bytes:
        """Return the rest, after the last block."""

    def close(self) -> None:
        """Release what it holds; it may be called twice."""


def by_lame(rate: Rate, sample_rate: int, channels: int) -> Mp3Engine:
    """Return LAME, called directly."""
    from tonearm_plugins.formats.lame import Lame

    return Lame(rate, sample_rate, channels)


def by_libsndfile(rate: Rate, sample_rate: int, channels: int) -> Mp3Engine:
    """Return LAME as libsndfile calls it."""
    return _Libsndfile(rate, sample_rate, channels)


class StartedMp3(StartedEncoder):
    """An MP3 file that grows with each block.

    Parameters
    ----------
    engine
        Mp3Engine, which is closed at the end.
    rate
        Bit rate.
    sink
        Sink.
    tags
        Tags as ID3v2.
    context
        Context, which takes the number of clipped samples.
    """

    def __init__(self, engine: Mp3Engine, rate: Rate, sink: Sink, tags: bytes, context: Context) -> None:
        self._engine = engine
        self._context = context
        self._length = 0
        self._clipped = 0
        try:
            self._file = Mp3File(sink, tags, rate)
        except BaseException:
            engine.close()
            raise

    def write(self, block: Array) -> None:
        """Encode a block; samples beyond full scale are clipped, as decoders would clip them."""
        import numpy as np

        low, high = rounding.finite_extent(block)
        beyond = rounding.beyond(block, low, high)
        if beyond:
            self._clipped += beyond
            block = np.clip(block, -1.0, 1.0)
        self._length += block.shape[1]
        self._file.write(self._engine.encode(block))

    def finish(self) -> None:
        """Write the last frames, and the frame of information of a file."""
        self._file.write(self._engine.flush())
        self._engine.close()
        self._file.finish(self._length)
        note_clipped(self._clipped, self._context)

    def abort(self) -> None:
        """Free LAME's memory and close the file."""
        self._engine.close()
        self._file.close()


class _Libsndfile:
    """LAME as libsndfile calls it, which has no scale: the samples are multiplied. Floats are not clipped."""

    def __init__(self, rate: Rate, sample_rate: int, channels: int) -> None:
        from tonearm_plugins.formats.mpeg_audio import holds_info
        from tonearm_plugins.formats.sndfile_writing import SndfileWriter

        if rate.mode == "vbr":
            level, mode = rate.quality / 10, "VARIABLE"
        else:
            # libsndfile spreads 0 to 1 evenly over the bit rates, the highest first, and refuses exactly 1.
            rates = mp3_bitrates(sample_rate)
            level = min((rates[-1] - rate.bitrate) / (rates[-1] - rates[0]), 0.999)
            mode = "CONSTANT" if rate.mode == "cbr" else "AVERAGE"
        self._gain = 1.0 / rate.preset_gain
        # LAME leaves its own frame of information out where a constant bit rate is too low for it.
        has_info = rate.mode != "cbr" or holds_info(rate.bitrate, sample_rate, channels)
        self._output = _Frames(has_info=has_info)
        self._writer: Any = SndfileWriter(
            self._output,
            sample_rate=sample_rate,
            channels=channels,
            container="MP3",
            subtype="MPEG_LAYER_III",
            compression_level=level,
            bitrate_mode=mode,
        )

    def encode(self, block: Array) -> bytes:
        """Return what a block makes complete."""
        import numpy as np

        self._writer.write(np.ascontiguousarray(block.T, np.float32) * np.float32(self._gain))
        return self._output.taken()

    def flush(self) -> bytes:
        """Return the rest."""
        self._writer.finish()
        return self._output.taken()

    def close(self) -> None:
        """Release what libsndfile holds."""
        self._writer.abort()


class _Frames:
    """An open file that keeps the frames of a sound, without LAME's own frame of information before them.

    libsndfile keeps a place for that frame, and comes back to it at the end. `Mp3File` makes a better one.

    Parameters
    ----------
    has_info
        Whether libsndfile writes that frame.
    """

    def __init__(self, *, has_info: bool) -> None:
        self._at = 0
        self._end = 0
        self._data = bytearray()
        self._starts_with_info = has_info

    def write(self, data: memoryview, /) -> int:
        """Keep bytes at the end of the file, and drop those at a place that has been written before."""
        if self._at == self._end:
            self._data += data
            self._end += len(data)
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position."""
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def close(self) -> None:
        """Do nothing: the frames are still to be taken."""

    def taken(self) -> bytes:
        """Return the frames since the last call."""
        from tonearm_plugins.formats.mpeg_audio import Header

        if self._starts_with_info:
            size = Header(int.from_bytes(self._data[:4], "big")).size if len(self._data) >= 4 else 4
            if len(self._data) < size:
                return b""
            self._starts_with_info = False
            del self._data[:size]
        data, self._data = bytes(self._data), bytearray()
        return data


class ByPydub(StartedEncoder):
    """An MP3 file that ffmpeg makes, as pydub drives it, and that is written again with its tags at the end.

    Parameters
    ----------
    rate
        Bit rate.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    sink
        Sink of a file.
    tags
        Tags as ID3v2.
    context
        Context, which takes the number of clipped samples.
    """

    def __init__(self, rate: Rate, sample_rate: int, channels: int, sink: Sink, tags: bytes, context: Context) -> None:
        from tonearm_plugins.formats.ffmpeg import FfmpegEncoding

        self._rate = rate
        self._sink = sink
        self._tags = tags
        self._context = context
        self._rounding = PcmRounding(_BITS)
        self._length = 0
        more = ["-q:a", str(rate.quality)] if rate.mode == "vbr" else []
        more += ["-abr", "1"] if rate.mode == "abr" else []
        if rate.preset_gain != 1.0:  # on floats, which do not clip
            more += ["-af", f"aformat=sample_fmts=fltp,volume={1.0 / rate.preset_gain:.6f}:precision=float"]
        self._encoding = FfmpegEncoding(
            sink.path,
            width=4,
            sample_rate=sample_rate,
            channels=channels,
            container="mp3",
            codec="libmp3lame",
            bitrate=rate.bitrate or None,
            # ffmpeg miscounts the padding at the end if LAME needs less than a whole frame for it.
            parameters=[*more, "-id3v2_version", "0", "-write_xing", "0"],
        )

    def write(self, block: Array) -> None:
        """Pass on a block, rounded."""
        self._encoding.write(self._rounding(block))
        self._length += block.shape[1]

    def finish(self) -> None:
        """Wait for ffmpeg, and put the tags and the frame of information before the frames."""
        self._encoding.finish()
        content = self._sink.path.read_bytes()
        file = Mp3File(self._sink, self._tags, self._rate)
        try:
            file.write(content)
            file.finish(self._length)
        finally:
            file.close()
        note_clipped(self._rounding.clipped, self._context)

    def abort(self) -> None:
        """End ffmpeg."""
        self._encoding.abort()
