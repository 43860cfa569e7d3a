"""Pages of Ogg (RFC 3533): taken apart into packets, and written anew."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

from tonearm_plugins.formats.ogg_stream import MAGIC

Take: TypeAlias = Callable[[bytes], object]
"""Function that takes bytes, all of them."""

_HEADER = 27  # bytes before the table of segments
_SEGMENTS = 255  # most segments of a page, and most bytes of a segment
_CONTINUED, _FIRST, _LAST = 1, 2, 4  # flags
_NO_PACKET = -1  # granule position of a page on which no packet ends
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class PacketReader:
    """A reader of the packets of one stream, whose bytes come in pieces of any length."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._packet = bytearray()

    def push(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Yield the packets that are complete with another piece.

        Parameters
        ----------
        data
            Bytes of whole pages or of parts of them.
        """
        held = self._bytes
        held += data
        while len(held) >= _HEADER and len(held) >= (body := _HEADER + held[_HEADER - 1]):
            sizes = held[_HEADER:body]
            end = body + sum(sizes)
            if len(held) < end:
                return
            page = bytes(held[:end])
            del held[:end]
            for size in sizes:
                self._packet += page[body : body + size]
                body += size
                if size < _SEGMENTS:
                    packet, self._packet = bytes(self._packet), bytearray()
                    yield packet


class PageWriter:
    """A writer of the pages of one stream.

    The serial number of the stream is made of the headers and the first page of sound, so that the same sound makes the
    same bytes. Pages are held back until it is known.

    Parameters
    ----------
    take
        Function that gets each page.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._held: list[tuple[int, int, bytes, bytes]] | None = []
        self._serial = b""
        self._number = 0
        self._begin_page(0)

    def add(self, packet: bytes, granule: int) -> None:
        """Add a packet. The last page is kept, as it may be the last one of the stream.

        Parameters
        ----------
        packet
            Packet.
        granule
            Position of its end.
        """
        sizes = bytes([_SEGMENTS]) * (len(packet) // _SEGMENTS) + bytes([len(packet) % _SEGMENTS])
        at = 0
        while sizes:
            if len(self._segments) == _SEGMENTS:
                self._end_page(_CONTINUED if at else 0)
            now = sizes[: _SEGMENTS - len(self._segments)]
            sizes = sizes[len(now) :]
            self._segments += now
            self._body += packet[at : at + sum(now)]
            at += sum(now)
        self._granule = granule

    def flush(self) -> None:
        """End the page, if it has anything, so that the next packet begins another one."""
        if self._segments:
            self._end_page()

    def finish(self, granule: int) -> None:
        """Write the last page.

        Parameters
        ----------
        granule
            Position of the end of the sound, which may lie before that of the last packet.
        """
        self._granule = granule
        self._flags |= _LAST
        self._end_page()

    def _begin_page(self, flags: int) -> None:
        self._flags = flags
        self._segments = bytearray()
        self._body = bytearray()
        self._granule = _NO_PACKET

    def _end_page(self, next_flags: int = 0) -> None:
        """Write the page, or hold it back, and begin the next one."""
        flags = self._flags if self._number or self._held else self._flags | _FIRST
        page = flags, self._granule, bytes(self._segments), bytes(self._body)
        if self._held is None:
            self._write(*page)
        else:
            self._held.append(page)
            if self._granule > 0 or flags & _LAST:
                held, self._held = self._held, None
                self._serial = zlib.crc32(b"".join([body for _, _, _, body in held])).to_bytes(4, "little")
                for one in held:
                    self._write(*one)
        self._begin_page(next_flags)

    def _write(self, flags: int, granule: int, segments: bytes, body: bytes) -> None:
        head = MAGIC + bytes([0, flags]) + granule.to_bytes(8, "little", signed=True) + self._serial
        head += self._number.to_bytes(4, "little")
        rest = bytes([len(segments)]) + segments + body
        self._take(head + _checksum(head + bytes(4) + rest) + rest)
        self._number = (self._number + 1) & 0xFFFFFFFF


def _checksum(page: bytes) -> bytes:
    """Return the CRC of a page, whose field for it is zero.

    Ogg's polynomial is that of zlib, but bits go the other way round, and nothing is inverted.
    """
    reversed_crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return reversed_crc.to_bytes(4, "big").translate(_REVERSED)
