"""Frames of MPEG Layer III, and the frame of information at their start, which has the exact length of the sound.

The header follows ISO/IEC 11172-3 and 13818-3; the frame of information is Xing's with LAME's extension ("Mp3 Info Tag
revision 1"), which ffmpeg, mpg123, libsndfile and players read. It is made here because LAME leaves it out where its
frames are small, ffmpeg writes a wrong length into it for some sounds, and mutagen only reads it.
"""

from __future__ import annotations

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
_MOST_PADDING = 1 << 12  # what 12 bits hold
_MOST_BYTES = (1 << 32) - 1  # size that is stated of a file of 4 GiB and more, which 29 hours at 320 kbit/s have
_CHECKED = 1 << 20  # bytes of frames whose checksum is computed at once, which is faster than of few
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
    """Frames of a stream, cut from bytes as they come, with what the frame of information has of them.

    Attributes
    ----------
    header
        Header of the first frame; None as long as it is not complete.
    sizes
        Sizes of the complete frames in bytes.
    total
        Size of all of them in bytes.
    """

    def __init__(self) -> None:
        self.header: Header | None = None
        self.sizes = array("H")
        self.total = 0
        self._known: dict[int, int] = {}
        self._rest = b""
        self._unchecked = bytearray()
        self._checksum = 0

    @classmethod
    def of(cls, stream: bytes | bytearray) -> Frames:
        """Return the frames of a whole stream.

        Raises
        ------
        ValueError
            The stream has anything but whole frames.
        """
        frames = cls()
        frames.cut(bytes(stream))
        frames.check_complete()
        return frames

    def cut(self, data: bytes) -> bytes:
        """Return the frames that are complete with more bytes of the stream, as one piece.

        Raises
        ------
        ValueError
            A frame does not start where the one before ends.
        """
        data = self._rest + data
        at, end, known = 0, len(data), self._known
        while at + 4 <= end:
            word = int.from_bytes(data[at : at + 4], "big")
            size = known.get(word, 0)
            if not size:
                header = Header(word)
                if not header.is_valid:
                    raise ValueError(f"there is no frame at byte {self.total + at}")
                size = known[word] = header.size
                self.header = self.header or header
            if at + size > end:
                break
            self.sizes.append(size)
            at += size
        self._rest, complete = data[at:], data[:at]
        self.total += at
        self._unchecked += complete
        if len(self._unchecked) > _CHECKED:
            self.checksum()
        return complete

    def check_complete(self) -> None:
        """Raise `ValueError` unless all bytes belong to whole frames, of which there is at least one."""
        if self._rest:
            raise ValueError("the last frame is cut short")
        if self.header is None:
            raise ValueError("there is no frame")

    def checksum(self) -> int:
        """Return the CRC-16 of all complete frames."""
        data, self._unchecked = self._unchecked, bytearray()
        if data:
            self._checksum = crc16(data, self._checksum)
        return self._checksum

    def padding(self, length: int) -> int:
        """Return the number of samples that follow a sound in its last frames.

        Parameters
        ----------
        length
            Samples of each channel of the sound.

        Raises
        ------
        ValueError
            The last frame is cut short, or the frames have another number of samples.
        """
        self.check_complete()
        assert self.header is not None
        padding = len(self.sizes) * self.header.samples - DELAY - length
        if not 0 <= padding < _MOST_PADDING:
            raise ValueError(f"{len(self.sizes)} frames cannot have {length} samples")
        return padding

    def room(self) -> Header:
        """Return the header of the frame of information that stands before these frames."""
        assert self.header is not None
        return self.header.with_room()


def info_frame(frames: Frames, length: int, mode: Mode, *, bitrate: int = 0, quality: int = 0) -> bytes:
    """Return the frame to put before a stream of LAME, so that decoders return exactly the samples that were encoded.

    Parameters
    ----------
    frames
        Frames that LAME made of the sound.
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
        The last frame is cut short, or the frames have another number of samples.
    """
    padding = frames.padding(length)
    sizes, header = frames.sizes, frames.header
    assert header is not None
    room = frames.room()
    total = room.size + frames.total
    stated = min(total, _MOST_BYTES)
    body = bytearray(room.size)
    body[:4] = room.word.to_bytes(4, "big")
    at = 4 + header.side
    struct.pack_into(">4sIII", body, at, b"Info" if mode == "cbr" else b"Xing", 15, len(sizes), stated)
    body[at + 16 : at + 116] = _seek_table(sizes, room.size, total)
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
        stated,
        frames.checksum(),
    )
    checked = at + _INFO - 2
    struct.pack_into(">H", body, checked, crc16(body[:checked]))
    return bytes(body)


def _seek_table(sizes: Sequence[int], before: int, total: int) -> bytes:
    """Return the place of each percent of the sound, in 256ths of the file."""
    table, at, frame = bytearray(), before, 0
    for percent in range(100):
        wanted = percent * len(sizes) // 100
        at += sum(sizes[frame:wanted])
        frame = wanted
        table.append(min(255, 256 * at // total))
    return bytes(table)


def crc16(data: bytes | bytearray, before: int = 0) -> int:
    """Return the CRC-16 of bytes (polynomial 0x8005, reflected, starting from 0), as LAME computes it.

    ``before`` is the CRC of the bytes before them, of which there are at least two then.

    The standard library has no such CRC. This one is linear, and leading zeros do not change it, so it is computed of
    many pieces at once, which are then combined in pairs.
    """
    import numpy as np

    table = _table()
    lanes = 1 << max(0, (len(data) // 64).bit_length())
    steps = -(-len(data) // lanes)
    padded = np.zeros(lanes * steps, np.uint8)
    padded[len(padded) - len(data) :] = np.frombuffer(data, np.uint8)
    if before:
        padded[len(padded) - len(data) :][:2] ^= np.array([before & 255, before >> 8], np.uint8)
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


def _table() -> np.ndarray[Any, Any]:
    import numpy as np

    table = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ 0xA001, table >> 1).astype(np.uint16)
    return table
