"""Tags of MP4 as iTunes writes them: into a file, or into the start of a stream that passes by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import WELL_KNOWN_TAGS, number_and_total

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.api import Cover

_FREE = "----:com.apple.iTunes:"
_NUMBERS = ("trkn", "disk", "tmpo")
_NUMBER = re.compile(r"\d{1,5}(\.\d+)?")
_LARGEST = (1 << 16) - 1
"""Largest number that the atoms of `_NUMBERS` hold; a larger one is kept as text in a free-form atom."""


def write_tags(target: Path | BinaryIO, tags: Mapping[str, str], cover: Cover | None = None) -> None:
    """Write tags and a cover into an MP4 file, by its path or open, as iTunes does; nothing if there are none."""
    if not (tags or cover):
        return
    from mutagen import mp4

    file = mp4.MP4(target)
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
    file.save(target, padding=lambda _: 0)


class TaggedStart:
    """Bytes of an MP4 stream that pass by, into whose table of contents tags are written.

    Parameters
    ----------
    take
        Function that takes the bytes.
    tags, cover
        As for `write_tags`.
    """

    def __init__(self, take: Callable[[bytes], object], tags: Mapping[str, str], cover: Cover | None = None) -> None:
        self._take, self._tags, self._cover = take, tags, cover
        self._start: bytes | None = b""

    def __call__(self, content: bytes) -> None:
        """Pass bytes on, the first of them when the table is complete."""
        if self._start is None:
            self._take(content)
            return
        self._start += content
        end = _end_of_table(self._start)
        if not end:
            return
        import io

        file = io.BytesIO(self._start[:end])
        rest, self._start = self._start[end:], None
        write_tags(file, self._tags, self._cover)
        self._take(file.getvalue() + rest)


def _end_of_table(content: bytes) -> int:
    """Return where the table of contents ends, if all of it is in the bytes; else 0."""
    at = 0
    while at + 8 <= len(content):
        end = at + int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] == b"moov":
            return end if end <= len(content) else 0
        at = end
    return 0
