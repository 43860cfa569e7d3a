"""AAC and ALAC in MP4, by PyAV, which has ffmpeg's libraries within."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.codec_limits import ALAC_FRAME, ALAC_SHORTEST

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

# ffmpeg's names of those channels that both codecs can say, in WAV's order.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_ATOMS = {
    "album": "\xa9alb",
    "albumartist": "aART",
    "artist": "\xa9ART",
    "comment": "\xa9cmt",
    "composer": "\xa9wrt",
    "copyright": "cprt",
    "date": "\xa9day",
    "genre": "\xa9gen",
    "title": "\xa9nam",
}
_DISK = (errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_FREE = "----:com.apple.iTunes:"


def write_aac(path: Path, blocks: Iterable[Array], *, sample_rate: int, channels: int, bitrate: int) -> None:
    """Write AAC.

    Parameters
    ----------
    path
        Where.
    blocks
        float32 (samples, channels).
    sample_rate
        In Hz, one that AAC has.
    channels
        1 to 6.
    bitrate
        In kbit/s.

    Raises
    ------
    OutputError
        The disk is full or the like.
    ItemError
        ffmpeg's libraries refuse what they were given.
    """
    _write(path, blocks, "aac", "fltp", sample_rate, channels, bit_rate=bitrate * 1000)


def write_alac(path: Path, blocks: Iterable[Array], *, sample_rate: int, channels: int, bits: int) -> None:
    """Write ALAC of 16 or 24 bits; blocks are (samples, channels) of int16 or int32, full scale that of the type."""
    _write(path, blocks, "alac", "s16p" if bits == 16 else "s32p", sample_rate, channels)


def check_alac(length: int, channels: int) -> None:
    """Raise `ItemError` if so many samples would end in a frame that ffmpeg's encoder cannot write."""
    last = length % ALAC_FRAME
    if channels > 2 and 0 < last < ALAC_SHORTEST:
        raise ItemError(
            f"ALAC cannot have {length} samples of {channels} channels: the last frame has no more than {last}",
            code="encoder-refused",
            hint="pad it by a few samples, or use flac-writer",
        )


def _write(
    path: Path, blocks: Iterable[Array], codec: str, sample_format: str, sample_rate: int, channels: int, **more: int
) -> None:
    import av
    import numpy as np

    # In the ticks of its default, milliseconds, the file could not say how long it is, nor where it starts.
    options = {"movie_timescale": str(sample_rate), "movflags": "+faststart"}
    layout: Any = _LAYOUTS[channels]
    try:
        with av.open(str(path), "w", format="ipod", options=options) as container:
            stream: Any = container.add_stream(codec, rate=sample_rate, layout=layout)
            coder = stream.codec_context
            coder.format = sample_format
            for name, value in more.items():
                setattr(coder, name, value)
            coder.open()
            done = 0
            for block in _framed(blocks, coder.frame_size or ALAC_FRAME):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format=sample_format, layout=layout)
                frame.sample_rate, frame.pts = sample_rate, done
                done += len(block)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise OutputError(f"cannot write: {(error.strerror or str(error)).lower()}") from error
        raise ItemError(f"cannot write {codec}: {error.strerror or error}", code="encoder-refused") from error


def _framed(blocks: Iterable[Array], size: int) -> Iterator[Array]:
    """Yield blocks of a size, but for the last."""
    import numpy as np

    rest: Array | None = None
    for block in blocks:
        joined = block if rest is None or not len(rest) else np.concatenate([rest, block])
        whole = len(joined) - len(joined) % size
        for start in range(0, whole, size):
            yield joined[start : start + size]
        rest = joined[whole:]
    if rest is not None and len(rest):
        yield rest


def write_tags(path: Path, tags: Mapping[str, str]) -> None:
    """Put tags into an MP4 file, as iTunes has them; nothing if there are none."""
    from mutagen import mp4

    if not tags:
        return
    file = mp4.MP4(path)
    for name, value in tags.items():
        number, _, total = value.partition("/")
        if name in _ATOMS:
            file[_ATOMS[name]] = value
        elif name == "tracknumber" and number.isdecimal() and (not total or total.isdecimal()):
            file["trkn"] = [(int(number), int(total or 0))]
        else:
            file[_FREE + name] = mp4.MP4FreeForm(value.encode(), mp4.AtomDataType.UTF8)
    file.save(padding=lambda _: 0)
