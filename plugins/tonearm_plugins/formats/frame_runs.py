"""Streams of frames without a container: how large each frame is, and where the last whole one ends."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import BinaryIO

from tonearm_plugins.formats.mpeg_stream import size_of_tags_behind

_RUN = 3  # frames in a row that tell a format whose mark is short
MOST_FRAMES = 2_000_000  # that are counted, which takes some seconds
_BLOCK = 1 << 18  # bytes behind the frames that are searched for more of them

_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)  # kbit/s


def adts_size(start: bytes) -> int:
    """Return the size of a frame of AAC with an ADTS header in bytes; 0 if it is none."""
    if len(start) < 7 or start[0] != 0xFF or start[1] & 0xF6 != 0xF0 or start[2] >> 2 & 15 > 12:
        return 0
    size = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5
    return size if size > 7 else 0


def loas_size(start: bytes) -> int:
    """Return the size of a frame of AAC in LATM in bytes; 0 if it is none."""
    if len(start) < 3 or start[0] != 0x56 or start[1] & 0xE0 != 0xE0:
        return 0
    return ((start[1] & 0x1F) << 8 | start[2]) + 3


def ac3_size(start: bytes) -> int:
    """Return the size of a frame of AC-3 in bytes; 0 if it is none."""
    if len(start) < 6 or start[:2] != b"\x0b\x77" or start[5] >> 3 > 10 or start[4] >> 6 == 3 or start[4] & 63 > 37:
        return 0
    rate, code = _AC3_RATES[(start[4] & 63) >> 1], start[4] >> 6
    if code == 1:  # 44,100 Hz
        return 2 * (320 * rate // 147 + (start[4] & 1))
    return rate * (4 if code == 0 else 6)


def eac3_size(start: bytes) -> int:
    """Return the size of a frame of E-AC-3 in bytes; 0 if it is none."""
    if len(start) < 6 or start[:2] != b"\x0b\x77" or not 10 < start[5] >> 3 <= 16:
        return 0
    return 2 * (((start[2] & 7) << 8 | start[3]) + 1)


def _dts_size(start: bytes) -> int:
    """Return the size of a frame of the core of DTS; 0 if it is none, or if its bytes are in another order."""
    if start[:4] != b"\x7f\xfe\x80\x01" or len(start) < 8:
        return 0
    return (int.from_bytes(start[5:8], "big") >> 4 & 0x3FFF) + 1


def _truehd_size(start: bytes) -> int:
    """Return the size of an access unit of TrueHD or MLP; it has no mark."""
    return 2 * (int.from_bytes(start[:2], "big") & 0xFFF) if len(start) >= 4 else 0


def _gsm_size(start: bytes) -> int:
    return 33 if start[:1] and start[0] >> 4 == 0xD else 0


def _wavpack_size(start: bytes) -> int:
    return 8 + int.from_bytes(start[4:8], "little") if start[:4] == b"wvpk" else 0


def _packet_size(start: bytes) -> int:
    return 188 if start[:1] == b"\x47" else 192 if start[4:5] == b"\x47" else 0


_SIZES: Mapping[str, Callable[[bytes], int]] = {
    "aac": adts_size,
    "ac3": ac3_size,
    "dts": _dts_size,
    "eac3": eac3_size,
    "gsm": _gsm_size,
    "loas": loas_size,
    "mlp": _truehd_size,
    "mpegts": _packet_size,
    "truehd": _truehd_size,
    "wv": _wavpack_size,
}
"""Functions that return the size of a frame in bytes, by ffmpeg's demuxers."""


def is_run(head: bytes, size: Callable[[bytes], int]) -> bool:
    """Return whether frames of a format follow each other at the start of a file, up to `_RUN` of them."""
    at = 0
    for _ in range(_RUN):
        step = size(head[at : at + 8])
        if not step:
            return False
        at += step
        if at >= len(head):
            return True
    return True


def end_of_frames(file: BinaryIO, demuxer: str, size: int) -> tuple[int, bool]:
    """Return where the last whole frame of a stream ends, and whether the file ends within the next.

    Parameters
    ----------
    file
        Open file.
    demuxer
        Demuxer of ffmpeg for its format.
    size
        Size of the file in bytes.

    Returns
    -------
    end
        Place in bytes; `size` if the format has more than frames, or if more frames follow something else.
    is_cut
        Whether the file ends within a frame.
    """
    size_of = _SIZES.get(demuxer)
    at = 0
    for _ in range(MOST_FRAMES):
        if size_of is None or at >= size:
            break
        file.seek(at)
        step = size_of(file.read(8))
        if not step:
            file.seek(at)
            return (size if _has_frames(file.read(_BLOCK), size_of) else at), False
        if at + step > size:
            return at, True
        at += step
    return size, False


def _has_frames(content: bytes, size_of: Callable[[bytes], int]) -> bool:
    """Return whether whole frames in a row begin anywhere in bytes; False for streams whose frames have no marks."""
    if size_of in (_truehd_size, _gsm_size):
        return False
    for start in range(1, len(content)):
        at, count = start, 0
        while count < _RUN and at < len(content) and (step := size_of(content[at : at + 8])):
            at += step
            count += 1
        if count == _RUN and at <= len(content):
            return True
    return False


def frames_alone(file: BinaryIO, demuxer: str, size: int) -> tuple[BinaryIO, list[str]]:
    """Return a file without what follows its last whole frame, and the warnings to give.

    Parameters
    ----------
    file, demuxer, size
        As for `end_of_frames`.
    """
    end, is_cut = end_of_frames(file, demuxer, size)
    if is_cut:
        return file, ["the last frame is not whole: the file may be cut short"]
    if end == size:
        return file, []
    file.seek(0)
    content = file.read()
    tags = size_of_tags_behind(content)
    if end + tags != size:
        return io.BytesIO(content[:end]), [f"{size - end:,} bytes behind the last frame are none, and are skipped"]
    if demuxer == "wv":  # of which ffmpeg reads the APE tag at the very end
        end = size - 128 if content[-128:].startswith(b"TAG") else size
    return io.BytesIO(content[:end]), []
