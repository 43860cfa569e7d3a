"""Ogg files: streams that follow each other, which libsndfile does not read, and FLAC in Ogg, which it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAGIC = b"OggS"

_HEADER = 27  # bytes before the table of segments
_FIRST, _LAST = 2, 4  # flags
_FLAC = b"\x7fFLAC"
_SOUNDS = (b"\1vorbis", b"OpusHead", b"Speex   ")  # first bytes of streams
_FLAC_HEADER = 9  # bytes of the mapping before "fLaC"


class OggPage(NamedTuple):
    """A page.

    Parameters
    ----------
    start, body, end
        Place of the page, of its body, and of what follows it, in bytes.
    flags
        Whether it continues a packet (1), and is the first (2) or the last (4) of its stream.
    serial
        Number of its stream.
    sequence
        Number of the page in its stream.
    segments
        Sizes of the segments of its packets.
    """

    start: int
    body: int
    end: int
    flags: int
    serial: int
    sequence: int
    segments: bytes


@dataclass
class Link:
    """Streams of a file that begin together.

    Parameters
    ----------
    start, end
        Place in the file, in bytes.
    starts
        First bytes of each stream by its number.
    ended
        Numbers of the streams whose last page is marked as the last.
    gaps
        Number of pages that are missing between others.
    """

    start: int
    end: int
    starts: dict[int, bytes] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    gaps: int = 0

    @property
    def is_flac(self) -> bool:
        """Whether the link holds a single stream, in FLAC."""
        return len(self.starts) == 1 and next(iter(self.starts.values())).startswith(_FLAC)

    @property
    def sounds(self) -> int:
        """Number of the streams of Vorbis, Opus or Speex."""
        return sum(start.startswith(_SOUNDS) for start in self.starts.values())

    @property
    def has_end(self) -> bool:
        """Whether the last page of each stream is there."""
        return self.starts.keys() <= self.ended


def ogg_pages(content: bytes, at: int = 0, end: int | None = None) -> Iterator[OggPage]:
    """Yield the whole pages of a file; what lies between them is passed over."""
    end = len(content) if end is None else end
    while at + _HEADER <= end:
        if content[at : at + 4] != MAGIC:
            at = content.find(MAGIC, at, end)
            if at < 0:
                return
            continue
        body = at + _HEADER + content[at + 26]
        segments = content[at + _HEADER : body]
        after = body + sum(segments)
        if after > end or content[at + 4]:  # the version is 0
            at += 1
            continue
        serial, sequence = (int.from_bytes(content[at + place : at + place + 4], "little") for place in (14, 18))
        yield OggPage(at, body, after, content[at + 5], serial, sequence, segments)
        at = after


def links(content: bytes) -> list[Link]:
    """Return the links of the chain that an Ogg file is: one, unless files were joined."""
    found: list[Link] = []
    numbers: dict[int, int] = {}
    beginning = False
    for page in ogg_pages(content):
        is_first = bool(page.flags & _FIRST)
        if is_first and not beginning:
            if found:
                found[-1].end = page.start
            found.append(Link(page.start, page.start))
            numbers.clear()
        beginning = is_first
        if not found:
            continue
        link = found[-1]
        if is_first:
            link.starts[page.serial] = content[page.body : page.end]
        elif numbers.get(page.serial, page.sequence - 1) != page.sequence - 1:
            link.gaps += 1
        numbers[page.serial] = page.sequence
        if page.flags & _LAST:
            link.ended.add(page.serial)
        link.end = page.end
    return found


def native_flac(content: bytes, link: Link) -> bytes:
    """Return the FLAC file that a link holds.

    Parameters
    ----------
    content
        All bytes of the Ogg file.
    link
        Link that `Link.is_flac`.
    """
    pages = ogg_pages(content, link.start, link.end)
    found = b"".join([content[page.body : page.end] for page in pages if page.serial in link.starts])
    return found[_FLAC_HEADER:]
