"""Frames of MPEG Layer III, and the frame of information at their start, which has the exact length of the sound.

The header follows ISO/IEC 11172-3 and 13818-3; the frame of information is Xing's with LAME's extension ("Mp3 Info Tag
revision 1"), which ffmpeg, mpg123, libsndfile and players read. It is made here because no library writes it: lameenc
leaves it out, and mutagen only reads it.
"""

from __future__ import annotations

import functools
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tonearm_plugins.formats.codec_limits import MPEG1_BITRATES, MPEG2_BITRATES

if TYPE_CHECKING:
    import numpy as np

DELAY = 576
"""Samples of silence that LAME puts before the sound; decoders know the 529 that they add themselves."""

_RATES = (44100, 48000, 32000)
_INFO = 156  # bytes of Xing's header and LAME's extension
_UNKNOWN = 0
_VBR_METHODS = {"cbr": 1, "abr": 2, "vbr": 4}

Mode = Literal["cbr", "abr", "vbr"]


@dataclass(frozen=True)
class Header:
    """Header of a frame.

    Parameters
    ----------
    word
        First four bytes of the frame, as a big-endian integer.
    """

    word: int

    @property
    def is_valid(self) -> bool:
        """Whether this is the header of a Layer III frame whose bit rate is given."""
        version, layer = self.word >> 19 & 3, self.word >> 17 & 3
        return (
            self.word >> 21 == 0x7FF and version != 1 and layer == 1 and self._index in range(1, 15) and self._rate < 3
        )

    @property
    def _index(self) -> int:
        return self.word >> 12 & 15

    @property
    def _rate(self) -> int:
        return self.word >> 10 & 3

    @property
    def is_mpeg1(self) -> bool:
        """Whether the frame is MPEG-1, which has 32 kHz and more."""
        return self.word >> 19 & 3 == 3

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz."""
        return _RATES[self._rate] >> {3: 0, 2: 1, 0: 2}[self.word >> 19 & 3]

    @property
    def channels(self) -> int:
        """Number of channels, 1 or 2."""
        return 1 if self.word >> 6 & 3 == 3 else 2

    @property
    def samples(self) -> int:
        """Samples of each channel in the frame."""
        return 1152 if self.is_mpeg1 else 576

    @property
    def size(self) -> int:
        """Size of the frame in bytes."""
        bitrate = (MPEG1_BITRATES if self.is_mpeg1 else MPEG2_BITRATES)[self._index - 1]
        return self.samples * 125 * bitrate // self.sample_rate + (self.word >> 9 & 1)

    @property
    def side(self) -> int:
        """Size of the side information after the header, in bytes."""
        return _side_size(self.channels, is_mpeg1=self.is_mpeg1)

    def with_room(self) -> Header:
        """Return the header of a frame with room for `info_frame`, without padding and checksum."""
        plain = (self.word | 1 << 16) & ~(1 << 9)
        least = 4 + self.side + _INFO
        for index in (self._index, *range(1, 15)):
            found = Header(plain & ~(15 << 12) | index << 12)
            if found.size >= least:
                return found
        raise ValueError("no frame of this sample rate is large enough")


def holds_info(bitrate: int, sample_rate: int, channels: int) -> bool:
    """Whether a frame of a bit rate in kbit/s has room for LAME's own frame of information."""
    is_mpeg1 = sample_rate >= 32000
    size = (144 if is_mpeg1 else 72) * bitrate * 1000 // sample_rate
    return size >= 4 + _side_size(channels, is_mpeg1=is_mpeg1) + _INFO


def _side_size(channels: int, *, is_mpeg1: bool) -> int:
    return ((17, 32) if is_mpeg1 else (9, 17))[channels - 1]


class Frames:
    """Frames of a sound, in the order in which LAME makes them: cut apart, counted and checked.

    Attributes
    ----------
    sizes
        Size of each whole frame so far in bytes.
    """

    def __init__(self) -> None:
        self.sizes = array("H")
        self.first: Header | None = None
        self._known: dict[int, int] = {}
        self._rest = b""
        self._bytes = 0
        self._crc = 0

    def push(self, data: bytes | bytearray) -> bytes:
        """Return the frames that are whole with more bytes of the stream; what is left waits.

        Raises
        ------
        ValueError
            There is anything but frames.
        """
        content = self._rest + data
        at = 0
        while len(content) - at >= 4:
            size = self._size(content, at)
            if len(content) - at < size:
                break
            self.sizes.append(size)
            at += size
        whole, self._rest = content[:at], content[at:]
        self._crc = crc16(whole, self._crc)
        self._bytes += at
        return whole

    @property
    def rest(self) -> bytes:
        """Bytes of a frame that is not whole yet."""
        return self._rest

    def info(self, length: int, mode: Mode, *, bitrate: int = 0, quality: int = 0) -> bytes:
        """Return the frame to put before all frames, so that decoders return exactly the samples that were encoded.

        Parameters
        ----------
        length
            Samples of each channel of the sound.
        mode
            Kind of bit rate: constant, average or variable.
        bitrate
            Bit rate in kbit/s, constant or average.
        quality
            Quality of a variable bit rate, 0 to 9.

        Raises
        ------
        ValueError
            There are frames for another number of samples, or the last one is cut short.
        """
        header = self.first
        if self._rest or header is None:
            raise ValueError("the last frame is cut short" if self._rest else "there is no frame")
        room = header.with_room()
        padding = len(self.sizes) * header.samples - DELAY - length
        if not 0 <= padding < 4096:
            raise ValueError(f"{len(self.sizes)} frames cannot have {length} samples")
        total = room.size + self._bytes
        body = bytearray(room.size)
        body[:4] = room.word.to_bytes(4, "big")
        at = 4 + header.side
        struct.pack_into(">4sIII", body, at, b"Info" if mode == "cbr" else b"Xing", 15, len(self.sizes), total)
        body[at + 16 : at + 116] = _seek_table(self.sizes, room.size, total)
        struct.pack_into(">I", body, at + 116, 97 - 10 * (quality if mode == "vbr" else 4))
        rate = header.sample_rate
        source = 0 if rate <= 32000 else 1 if rate == 44100 else 2
        stereo = 0 if header.channels == 1 else 3  # 3 is joint stereo
        struct.pack_into(
            ">9sBBIHHBBBBBBBHIH",
            body,
            at + 120,
            b"LAME3.100",
            _VBR_METHODS[mode],
            _UNKNOWN,  # low-pass
            _UNKNOWN,  # peak
            _UNKNOWN,  # gain of the track
            _UNKNOWN,  # and of the album
            _UNKNOWN,  # encoding flags
            min(bitrate, 255),
            DELAY >> 4,
            (DELAY & 15) << 4 | padding >> 8,
            padding & 255,
            source << 6 | stereo << 2,
            0,  # gain that was applied to the file
            0,  # surround and preset
            total,
            self._crc,
        )
        checked = at + _INFO - 2
        struct.pack_into(">H", body, checked, crc16(body[:checked]))
        return bytes(body)

    def _size(self, content: bytes, at: int) -> int:
        """Return the size of the frame at a place."""
        word = int.from_bytes(content[at : at + 4], "big")
        size = self._known.get(word, 0)
        if not size:
            header = Header(word)
            if not header.is_valid:
                raise ValueError(f"there is no frame at byte {self._bytes + at}")
            self.first = self.first or header
            size = self._known[word] = header.size
        return size


def frame_sizes(stream: bytes | bytearray) -> list[int]:
    """Return the size of each frame of a stream in bytes.

    Raises
    ------
    ValueError
        The stream has anything but whole frames.
    """
    frames = Frames()
    if len(frames.push(stream)) != len(stream):
        raise ValueError("the last frame is cut short")
    return list(frames.sizes)


def _seek_table(sizes: Sequence[int], before: int, total: int) -> bytes:
    """Return the place of each percent of the sound, in 256ths of the file."""
    starts, at = [], before
    for size in sizes:
        starts.append(at)
        at += size
    return bytes(min(255, 256 * starts[percent * len(sizes) // 100] // total) for percent in range(100))


def crc16(data: bytes | bytearray, start: int = 0) -> int:
    """Return the CRC-16 of bytes (polynomial 0x8005, reflected), as LAME computes it.

    Parameters
    ----------
    data
        Bytes.
    start
        CRC-16 of the bytes before them.

    Returns
    -------
    int
        CRC-16 of all bytes up to the last.

    The standard library has no such CRC. This one is linear, and leading zeros do not change it, so it is computed of
    many pieces at once, which are then combined in pairs.
    """
    import numpy as np

    if len(data) < 4:
        return _crc16_of_few(data, start)
    if start:  # the register is XORed with the first two bytes
        data = bytes((data[0] ^ start & 255, data[1] ^ start >> 8)) + data[2:]
    table = _table()
    lanes = 1 << max(0, (len(data) // 64).bit_length())
    steps = -(-len(data) // lanes)
    padded = np.zeros(lanes * steps, np.uint8)
    padded[len(padded) - len(data) :] = np.frombuffer(data, np.uint8)
    # After the pieces: the CRC of each low and of each high byte followed by as many zeros as a piece has bytes.
    state = np.concatenate([np.zeros(lanes), np.arange(256), np.arange(256) << 8]).astype(np.uint16)
    column = np.zeros(len(state), np.uint16)
    for piece in np.ascontiguousarray(padded.reshape(lanes, steps).T):
        column[:lanes] = piece
        state = table[(state ^ column) & 255] ^ (state >> 8)
    found, low, high = state[:lanes], state[lanes : lanes + 256], state[lanes + 256 :]
    while len(found) > 1:
        left, right = found[::2], found[1::2]
        found = low[left & 255] ^ high[left >> 8] ^ right
        low, high = low[low & 255] ^ high[low >> 8], low[high & 255] ^ high[high >> 8]
    return int(found[0])


def _crc16_of_few(data: bytes | bytearray, start: int) -> int:
    for byte in data:
        start ^= byte
        for _ in range(8):
            start = start >> 1 ^ (0xA001 if start & 1 else 0)
    return start


@functools.cache
def _table() -> np.ndarray[Any, Any]:
    import numpy as np

    table = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ 0xA001, table >> 1).astype(np.uint16)
    return table
