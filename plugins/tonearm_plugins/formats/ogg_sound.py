"""Vorbis and Opus in Ogg: the packets of an encoder, on pages with tags, exact positions and an exact end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from tonearm_plugins.formats.ogg_pages import PacketReader, PageWriter, Take

PAGE_MS = 140
"""Longest sound of a page in ms. Sound that has been written leaves a page and some packets later."""

OPUS_RATE = 48000
"""Positions in Opus count samples at 48 kHz, whatever the rate of the sound."""

_OPUS_FRAMES = (*(480, 960, 1920, 2880) * 3, *(480, 960) * 2, *(120, 240, 480, 960) * 4)
"""Samples at 48 kHz of a frame, by the configuration of its packet (RFC 6716, section 3.1)."""


class Codec(ABC):
    """What must be known of a codec to count the samples of its packets.

    Attributes
    ----------
    headers
        Number of packets before the sound. The second holds the comments.
    comments
        What stands before and after the comments in their packet.
    first_page_ms
        Longest sound of the first page in ms.
    """

    headers: ClassVar[int]
    comments: ClassVar[tuple[bytes, bytes]]
    first_page_ms: ClassVar[int] = PAGE_MS

    @property
    @abstractmethod
    def rate(self) -> int:
        """Number of positions in a second."""

    @abstractmethod
    def begin(self, header: bytes) -> None:
        """Read the first packet."""

    @abstractmethod
    def samples(self, packet: bytes) -> int:
        """Return how many samples the next packet of sound adds."""

    @abstractmethod
    def end(self, length: int) -> int:
        """Return the position of the end of a sound, given its length in samples at its own rate."""


class Vorbis(Codec):
    """Vorbis (Vorbis I specification, sections 1.3.2, 4.2.2 and A.2)."""

    headers = 3
    comments = b"\3vorbis", b"\1"
    first_page_ms = 0  # as few packets as give any sound: ffmpeg finds no exact end on the page where sound begins

    def begin(self, header: bytes) -> None:
        """Read the sample rate and the two sizes of blocks."""
        self._rate = int.from_bytes(header[12:16], "little")
        self._sizes = 1 << (header[28] & 15), 1 << (header[28] >> 4)
        self._previous = 0

    @property
    def rate(self) -> int:
        """Sample rate in Hz."""
        return self._rate

    def samples(self, packet: bytes) -> int:
        """Return a quarter of the last block and a quarter of this one, as they overlap; the first one adds none.

        libvorbis has a mode for short blocks and one for long ones, or a single mode and a single size.
        """
        size = self._sizes[packet[0] >> 1 & 1]
        added = (self._previous + size) // 4 if self._previous else 0
        self._previous = size
        return added

    def end(self, length: int) -> int:
        """Return the length."""
        return length


class Opus(Codec):
    """Opus (RFC 7845, sections 4 and 5)."""

    headers = 2
    comments = b"OpusTags", b""
    rate = OPUS_RATE

    def begin(self, header: bytes) -> None:
        """Read how many samples a decoder skips, and the sample rate of the sound."""
        self.skipped = int.from_bytes(header[10:12], "little")
        self._per_sample = OPUS_RATE // int.from_bytes(header[12:16], "little")

    def samples(self, packet: bytes) -> int:
        """Return the samples of all frames of a packet, at 48 kHz."""
        code = packet[0] & 3
        return _OPUS_FRAMES[packet[0] >> 3] * (packet[1] & 63 if code == 3 else (1, 2, 2)[code])

    def end(self, length: int) -> int:
        """Return the length at 48 kHz, behind what is skipped."""
        return self.skipped + length * self._per_sample


class OggSound:
    """A writer of an Ogg file, which is given the pages that libsndfile makes.

    Parameters
    ----------
    take
        Function that gets each page.
    codec
        Codec of the pages.
    comments
        Function from the comments that libsndfile writes to those to write, without a framing bit.
    """

    def __init__(self, take: Take, codec: Codec, comments: Callable[[bytes], bytes]) -> None:
        self._codec = codec
        self._comments = comments
        self._packets = PacketReader()
        self._pages = PageWriter(take)
        self._headers = 0
        self._begins = self._at = 0
        self._length: int | None = None

    def push(self, data: bytes | memoryview) -> None:
        """Take a piece of the pages that libsndfile writes."""
        for packet in self._packets.push(data):
            if self._headers < self._codec.headers:
                self._header(packet)
            else:
                self._sound(packet)

    def end_at(self, length: int) -> None:
        """Set the length of the sound, in samples at its own rate. What follows it is dropped.

        Call it when all samples have been given to libsndfile, and before that is closed.
        """
        self._length = length

    def finish(self) -> None:
        """Write the last page."""
        self._pages.finish(self._at if self._length is None else min(self._at, self._codec.end(self._length)))

    def _header(self, packet: bytes) -> None:
        """Write a packet before the sound: the first on its page, the others together."""
        self._headers += 1
        if self._headers == 1:
            self._codec.begin(packet)
        elif self._headers == 2:
            before, after = self._codec.comments
            packet = before + self._comments(packet[len(before) :]) + after
        self._pages.add(packet, 0)
        if self._headers in (1, self._codec.headers):
            self._pages.flush()

    def _sound(self, packet: bytes) -> None:
        if self._length is not None and self._at >= self._codec.end(self._length):
            return
        after = self._at + self._codec.samples(packet)
        longest = PAGE_MS if self._begins else self._codec.first_page_ms
        if self._at > self._begins and (after - self._begins) * 1000 > longest * self._codec.rate:
            self._pages.flush()
            self._begins = self._at
        self._at = after
        self._pages.add(packet, after)
