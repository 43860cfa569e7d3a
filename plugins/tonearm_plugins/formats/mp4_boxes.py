"""Tables of MP4 and QuickTime files: how much memory a demuxer would take for them, judged before it reads them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tonearm.api import ItemError, check_memory

_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf")  # boxes of boxes
_TOP = (b"ftyp", b"free", b"mdat", b"meta", b"mfra", b"moof", b"moov", b"sidx", b"skip", b"udta", b"uuid", b"wide")
_ENTRY = 24  # bytes that ffmpeg takes for a sample of its index
_MAX_BOXES = 100_000
_DEPTH = 8
_MOST_UNDONE = 64  # times that the samples of a table may be larger than the file: QuickTime counts them decoded


class Boxes(NamedTuple):
    """Boxes of a file.

    Parameters
    ----------
    end
        Place in bytes where the last one ends. It is beyond the end of a file that is cut short.
    has_fragments
        Whether the samples are in fragments.
    second
        Place in bytes where a second file begins; 0 if none follows the first.
    """

    end: int
    has_fragments: bool = False
    second: int = 0


def check_tables(file: BinaryIO, name: str) -> Boxes:
    """Return what the boxes of a file are; judge its tables.

    A few bytes can claim four billion samples of one size, or edits that repeat all of them, and ffmpeg lists them all.

    Parameters
    ----------
    file
        Open file.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``too-large`` if the lists would take more memory than one source may, ``bad-audio`` if a table is impossible.
    """
    size = file.seek(0, io.SEEK_END)
    samples = most = 0
    edits = 1
    last, second, has_tables, has_fragments = 0, 0, False, False
    for count, (kind, body, end) in enumerate(_boxes(file, 0, size, _DEPTH)):
        if kind == b"ftyp" and has_tables and not second:
            second = last
        has_tables = has_tables or kind == b"moov"
        last, has_fragments = max(last, end), has_fragments or kind == b"moof"
        if count > _MAX_BOXES:
            raise ItemError(f"it has more than {_MAX_BOXES:,} boxes", code="bad-audio")
        if kind == b"trak":
            most, samples, edits = max(most, samples * edits), 0, 1
        elif kind == b"stsz":
            each, claimed = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
            if each and claimed * each > max(size, 1) * _MOST_UNDONE:
                raise _impossible(claimed, size)
            samples += claimed
        elif kind == b"trun":
            claimed = int.from_bytes(body[4:8], "big")
            if claimed > size:
                raise _impossible(claimed, size)
            samples += claimed
        elif kind == b"elst":
            edits = max(1, int.from_bytes(body[4:8], "big"))
    check_memory(name, "", _ENTRY * max(most, samples * edits))
    return Boxes(last, has_fragments, 0 if has_fragments else second)


def _impossible(claimed: int, size: int) -> ItemError:
    return ItemError(f"a table claims {claimed:,} samples, but the file has {size:,} bytes", code="bad-audio")


def _boxes(file: BinaryIO, at: int, end: int, depth: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield the name, the first bytes and the end of each box, those in other boxes, too."""
    while at + 8 <= end:
        file.seek(at)
        head = file.read(32)
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if size < body or (depth == _DEPTH and kind not in _TOP and at + size > end):
            return  # what follows the file is no box
        yield kind, head[body:], at + size
        if kind in _FOLDERS and depth:
            yield from _boxes(file, at + body, min(end, at + size), depth - 1)
        at += size
