"""Sizes that the headers of containers give: a file that is shorter is cut short, which ffmpeg does not mind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Literal

from tonearm.api import ItemError
from tonearm_plugins.formats import mp4_boxes
from tonearm_plugins.formats.frame_runs import MOST_FRAMES


def check_container(file: BinaryIO, name: str, demuxer: str, size: int) -> bool:
    """Return whether the container has the exact length of its sound, without the padding of the codec.

    Parameters
    ----------
    file, name
        Open file, and its name for messages.
    demuxer
        Demuxer of ffmpeg for its format.
    size
        Size of the file in bytes.

    Raises
    ------
    ItemError
        A file is shorter than its container claims, claims far more samples than it has, or is followed by another.
    """
    has_fragments = False
    if demuxer == "mov":
        claimed, has_fragments, second = mp4_boxes.check_tables(file, name)
    else:
        claimed = _ENDS[demuxer](file, size) if demuxer in _ENDS else 0
        second = _second_start(file, claimed) if claimed and demuxer in _ALONE else 0
    if second:
        raise ItemError(
            f"it joins files, of which ffmpeg reads the first alone: the second begins at byte {second:,}",
            code="bad-audio",
            hint=f"split it into one file for each: head -c {second}, and tail -c +{second + 1}",
        )
    if claimed > size:
        raise ItemError(
            f"the file is cut short: it claims {claimed:,} bytes, and has {size:,}",
            code="truncated",
            hint="the write was interrupted; write the file again",
        )
    return demuxer == "mov" and not has_fragments


_ALONE = ("adx", "asf", "tta")
"""Demuxers that read no file behind the first; others read all, or refuse them."""


def _second_start(file: BinaryIO, end: int) -> int:
    """Return the place in bytes where another file begins behind the first and its tags; 0 if none does."""
    file.seek(0)
    mark = file.read(6)
    file.seek(end)
    at = file.read(_MOST_TAGS).find(mark)
    return 0 if at < 0 else end + at


_MOST_TAGS = 1 << 16  # bytes between two files


def has_end_mark(file: BinaryIO, demuxer: str, size: int) -> bool:
    """Return whether a NUT file has its index at the end, without which it may be cut short; True for others."""
    file.seek(max(0, size - _MOST_INDEX))
    return demuxer != "nut" or _NUT_INDEX in file.read(_MOST_INDEX)


_NUT_INDEX = b"NX\xdd\x67\x2f\x23\xe6\x4e"
_MOST_INDEX = 1 << 20  # bytes


def _end_of_riff(file: BinaryIO, _size: int) -> int:
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def _end_of_sox(file: BinaryIO, _size: int) -> int:
    file.seek(0)
    order: Literal["little", "big"] = "little" if file.read(4) == b".SoX" else "big"
    header, samples = int.from_bytes(file.read(4), order), int.from_bytes(file.read(8), order)
    return 4 + header + 4 * samples


_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_END = b"$E"  # start of a mark that programs write into a pipe
_ASF_DATA = 50  # bytes of the header of the packets


def _end_of_asf(file: BinaryIO, size: int) -> int:
    """Return the size that the header of a Windows Media file gives; of one sent live, that of whole packets."""
    file.seek(0)
    head = file.read(1 << 16)
    at = head.find(_ASF_FILE)
    if at < 0 or len(head) < at + 104:
        return 0
    claimed, packet = (
        int.from_bytes(head[at + 40 : at + 48], "little"),
        int.from_bytes(head[at + 92 : at + 96], "little"),
    )
    if not head[at + 88] & 1:
        return claimed
    start = int.from_bytes(head[16:24], "little") + _ASF_DATA
    if not packet or size <= start:
        return 0
    rest = (size - start) % packet
    file.seek(size - rest)
    return size - rest + (packet if rest and file.read(2) != _ASF_END else 0)


def _end_of_adx(file: BinaryIO, _size: int) -> int:
    """Return the place where the last block but one of an ADX file ends; programs count the end mark as a block."""
    file.seek(0)
    head = file.read(16)
    if len(head) < 16 or head[:1] != b"\x80":
        return 0
    blocks = -(-int.from_bytes(head[12:16], "big") // _ADX_SAMPLES)
    return 4 + int.from_bytes(head[2:4], "big") + max(0, blocks - 1) * head[5] * head[7]


_ADX_SAMPLES = 32  # of a block of a channel
_TTA_HEADER = 22  # bytes


def _end_of_tta(file: BinaryIO, _size: int) -> int:
    """Return the place where the frames of a True Audio file end, by its table of their sizes; 0 if it is cut off."""
    file.seek(0)
    head = file.read(_TTA_HEADER)
    rate, samples = int.from_bytes(head[10:14], "little"), int.from_bytes(head[14:18], "little")
    length = 256 * rate // 245  # samples of a frame
    count = -(-samples // length) if length else 0
    table = file.read(4 * count + 4) if count <= MOST_FRAMES else b""
    if not count or head[:4] != b"TTA1" or len(table) < 4 * count + 4:
        return 0
    return _TTA_HEADER + len(table) + sum(int.from_bytes(table[at : at + 4], "little") for at in range(0, 4 * count, 4))


def _end_of_flv(file: BinaryIO, size: int) -> int:
    """Return the place where the last tag of an FLV file ends."""
    file.seek(5)
    at = int.from_bytes(file.read(4), "big") + 4
    for _ in range(MOST_FRAMES):
        if at + 11 > size:
            break
        file.seek(at)
        head = file.read(4)
        if head[0] & 0x1F not in (8, 9, 18):  # neither sound nor pictures nor notes
            return 0
        at += 11 + int.from_bytes(head[1:4], "big") + 4
    return 0 if size == at - 4 else at  # without the size of the last tag, which comes after it


def _end_of_rm(file: BinaryIO, size: int) -> int:
    """Return the place where the packets of a RealAudio file end."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "big")
        if head[:4] == b"DATA":
            return at + length - _RM_SURPLUS
        if length < 8:
            return 0
        at += length
    return at


_RM_SURPLUS = 10
"""Bytes that ffmpeg counts as packets and does not write."""


def _end_of_segment(file: BinaryIO, size_of_file: int) -> int:
    """Return the place in bytes where the segment of a Matroska file ends, or the last element of one sent live."""
    file.seek(0)
    head = file.read(4096)
    at = 4
    for _ in range(4):
        size, at = _coded_size(head, at)
        if size is None or at + size + 4 >= len(head):
            return 0
        at += size
        if head[at : at + 4] == b"\x18\x53\x80\x67":
            size, at = _coded_size(head, at + 4)
            return _end_of_elements(file, at, size_of_file) if size is None else at + size
        at += 4 if head[at : at + 1] == b"\x1a" else 1
    return 0


def _end_of_elements(file: BinaryIO, at: int, size_of_file: int) -> int:
    """Return the place where the last element ends, in clusters whose size is unknown, too."""
    for _ in range(MOST_FRAMES):
        if at >= size_of_file:
            break
        file.seek(at)
        head = file.read(16)
        length = 9 - head[0].bit_length()
        size, body = _coded_size(head, length)
        if head[:length] not in _ELEMENTS or (size is None and head[:4] != _ELEMENTS[0]):
            return 0
        at += body + (size or 0)
    return at


_NUMBERS = "1f43b675 1c53bb6b 1254c367 114d9b74 1549a966 1654ae6b 1043a770 1941a469 a0 a3 a7 ab af bf e7 ec"
_ELEMENTS = [bytes.fromhex(number) for number in _NUMBERS.split()]
"""Numbers of the elements of a segment, clusters first, and of those of a cluster."""


def _coded_size(head: bytes, at: int) -> tuple[int | None, int]:
    """Return the size of an element of EBML, None if it is unknown, and the place after it."""
    if at >= len(head) or not head[at]:
        return None, at
    count = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + count], "big") & ((1 << 7 * count) - 1)
    return (None if value == (1 << 7 * count) - 1 else value), at + count


_ENDS: Mapping[str, Callable[[BinaryIO, int], int]] = {
    "adx": _end_of_adx,
    "asf": _end_of_asf,
    "avi": _end_of_riff,
    "flv": _end_of_flv,
    "matroska": _end_of_segment,
    "rm": _end_of_rm,
    "sox": _end_of_sox,
    "tta": _end_of_tta,
}
"""Functions that return where a whole file ends in bytes, 0 if it does not say it, by ffmpeg's demuxers."""
