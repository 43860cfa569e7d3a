"""Sizes that the headers of containers give: a file that is shorter is cut short, which ffmpeg does not mind."""

from __future__ import annotations

from typing import BinaryIO, Literal

from tonearm.api import ItemError
from tonearm_plugins.formats import mp4_boxes


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
        A file is shorter than its container claims, or claims far more samples than it has.
    """
    claimed, has_fragments = 0, False
    if demuxer == "mov":
        claimed, has_fragments = mp4_boxes.check_tables(file, name)
    elif demuxer == "matroska":
        claimed = _end_of_segment(file)
    elif demuxer == "avi":
        file.seek(4)
        claimed = 8 + int.from_bytes(file.read(4), "little")
    elif demuxer == "sox":
        file.seek(0)
        order: Literal["little", "big"] = "little" if file.read(4) == b".SoX" else "big"
        header, samples = int.from_bytes(file.read(4), order), int.from_bytes(file.read(8), order)
        claimed = 4 + header + 4 * samples
    if claimed > size:
        raise ItemError(
            f"the file is cut short: it claims {claimed:,} bytes, and has {size:,}",
            code="truncated",
            hint="the write was interrupted; write the file again",
        )
    return demuxer == "mov" and not has_fragments


def _end_of_segment(file: BinaryIO) -> int:
    """Return the place in bytes where the segment of a Matroska file ends; 0 if it does not say it."""
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
            return 0 if size is None else at + size
        at += 4 if head[at : at + 1] == b"\x1a" else 1
    return 0


def _coded_size(head: bytes, at: int) -> tuple[int | None, int]:
    """Return the size of an element of EBML, None if it is unknown, and the place after it."""
    if at >= len(head) or not head[at]:
        return None, at
    count = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + count], "big") & ((1 << 7 * count) - 1)
    return (None if value == (1 << 7 * count) - 1 else value), at + count
