"""AAC and ALAC in MP4, through PyAV, which includes the libraries of ffmpeg."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import WELL_KNOWN_TAGS, ItemError, OptionError, OutputError, number_and_total
from tonearm_plugins.formats.codec_limits import ALAC_FRAME, ALAC_SHORTEST

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

# ffmpeg's names of the layouts that both codecs have, with channels in WAV's order.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_DISK = (errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_FREE = "----:com.apple.iTunes:"
_NUMBERS = ("trkn", "disk", "tmpo")
_NUMBER = re.compile(r"\d{1,5}(\.\d+)?")
_LARGEST = (1 << 16) - 1
"""Largest number that the atoms of `_NUMBERS` hold; a larger one is kept as text in a free-form atom."""


def write_aac(path: Path, blocks: Iterable[Array], *, sample_rate: int, channels: int, bitrate: int) -> None:
    """Write an AAC file.

    Parameters
    ----------
    path
        Path of the file.
    blocks
        Samples (samples, channels) float32.
    sample_rate
        Sample rate in Hz, one that AAC has.
    channels
        Number of channels, 1 to 6.
    bitrate
        Bit rate in kbit/s.

    Raises
    ------
    OutputError
        The file cannot be written, because the disk is full for instance.
    ItemError
        The encoder refused the sound.
    """
    _write(path, blocks, "aac", "fltp", sample_rate, channels, bit_rate=bitrate * 1000)


def write_alac(path: Path, blocks: Iterable[Array], *, sample_rate: int, channels: int, bits: int) -> None:
    """Write an ALAC file.

    Parameters
    ----------
    path
        Path of the file.
    blocks
        Samples (samples, channels): int16 for 16 bits, int32 for 24, at the full scale of the type.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels, 1 to 6.
    bits
        Bits of a sample, 16 or 24.

    Raises
    ------
    OutputError
        The file cannot be written, because the disk is full for instance.
    ItemError
        The encoder refused the sound.
    """
    _write(path, blocks, "alac", "s16p" if bits == 16 else "s32p", sample_rate, channels)


def check_alac(length: int, channels: int) -> None:
    """Raise `OptionError` if the last frame of ALAC would be too short for the encoder of ffmpeg."""
    last = length % ALAC_FRAME
    if channels > 2 and last in range(1, ALAC_SHORTEST):
        raise OptionError(
            f"ALAC cannot have {length} samples of {channels} channels: its last frame would have only {last}",
            code="encoder-refused",
            hint="pad it by a few samples, or use flac-writer",
        )


def _write(
    path: Path, blocks: Iterable[Array], codec: str, sample_format: str, sample_rate: int, channels: int, **more: int
) -> None:
    import av
    import numpy as np

    # The default time scale, milliseconds, is too coarse for the exact start and length.
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
            for block in _framed(blocks, coder.frame_size):
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
    """Yield the samples of blocks in frames of one size; only the last may be shorter."""
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


def write_tags(path: Path, tags: Mapping[str, str], cover: Cover | None = None) -> None:
    """Write tags and a cover into an MP4 file as iTunes does; nothing if there are none."""
    if not (tags or cover):
        return
    from mutagen import mp4

    file = mp4.MP4(path)
    for name, value in tags.items():
        atom = WELL_KNOWN_TAGS[name].mp4 if name in WELL_KNOWN_TAGS else ""
        numbers = number_and_total(value)
        if atom in ("trkn", "disk") and numbers and max(numbers) <= _LARGEST:
            file[atom] = [numbers]
        elif atom == "tmpo" and _NUMBER.fullmatch(value) and float(value) <= _LARGEST:
            file[atom] = [round(float(value))]
        elif atom and atom not in _NUMBERS:
            file[atom] = value
        else:
            is_known = name in WELL_KNOWN_TAGS or name.startswith("replaygain_")
            file[_FREE + (name.upper() if is_known else name)] = mp4.MP4FreeForm(value.encode(), mp4.AtomDataType.UTF8)
    if cover:
        kind = mp4.MP4Cover.FORMAT_PNG if cover.mime == "image/png" else mp4.MP4Cover.FORMAT_JPEG
        file["covr"] = [mp4.MP4Cover(cover.content, kind)]
    file.save(padding=lambda _: 0)
