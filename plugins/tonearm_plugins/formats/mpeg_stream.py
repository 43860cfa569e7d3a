"""Frames of a whole MPEG audio stream: tags and junk around them are left out, and joined files are told apart.

libmpg123 estimates the length of a stream that does not give it, and libsndfile reads no further than that. So the
frames are counted here, and a stream whose length would be wrong is copied with room at its end.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import NamedTuple

from tonearm_plugins.formats.codec_limits import MPEG1_BITRATES, MPEG2_BITRATES
from tonearm_plugins.formats.mpeg_audio import Header

MAX_JUNK = 1 << 20
"""Bytes before the first frame that are searched for it."""

_RUN = 3  # frames in a row that junk does not have by chance
_LAYER_2 = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)  # kbit/s, in MPEG-1
_LAYER_1 = tuple(range(32, 449, 32))
_LAYER_1_LOW = (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)  # in MPEG-2
_SAME = 0xFFFE0C00  # bits of a header that every frame of a stream has: version, layer and sample rate
_FREE = 8192  # bytes of the largest frame of a free bit rate, and of the header after it
_ID3 = b"ID3"
_INFO = (b"Xing", b"Info", b"VBRI")
_INFO_ENDS = 42  # bytes of a frame up to the last of these marks
_SIDE = 7  # place in a frame of a byte of the side information, with a checksum before it or without
_SMALLEST = 24  # bytes of the smallest frame
_ID3V1 = 128  # bytes
_EMPTY_TAG = b"ID3\4\0\0\0\0\0\0"


class FrameShape(NamedTuple):
    """Figures of a frame that its header gives.

    Parameters
    ----------
    size
        Size in bytes; 0 if the bit rate is free, so that only the next frame shows it.
    samples
        Samples of each channel.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    layer
        Layer, 1 to 3.
    """

    size: int
    samples: int
    sample_rate: int
    channels: int
    layer: int


class Info(NamedTuple):
    """Frame of information at the start of a stream.

    Parameters
    ----------
    frames
        Number of frames that it claims to follow; None if it claims none.
    is_xing
        Whether it is Xing's or LAME's, which libmpg123 reads.
    size
        Its own size in bytes.
    """

    frames: int | None
    is_xing: bool
    size: int


@dataclass
class Part:
    """One stream of a file that may have several, one after the other.

    Parameters
    ----------
    shape
        Figures of its first frame.
    info
        Its frame of information; None if it has none.
    starts, ends
        Places in the file of the first of frames without a gap, and after the last. The frame of information is the
        first.
    count
        Number of frames without that of information.
    largest
        Size of the largest frame in bytes.
    junk
        Number of bytes between the frames that are none.
    """

    shape: FrameShape
    info: Info | None
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    count: int = 0
    largest: int = 0
    junk: int = 0

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Places in the file of frames without a gap: pairs of a start and an end."""
        return list(zip(self.starts, self.ends, strict=True))

    @property
    def missing(self) -> int:
        """Number of frames that the frame of information claims, and the file does not have."""
        return max(0, (self.info.frames or 0) - self.count) if self.info else 0

    @property
    def length_is_known(self) -> bool:
        """Whether libmpg123 finds the right length in the frame of information. Some encoders count that frame, too."""
        return bool(self.info and self.info.is_xing and self.info.frames and abs(self.info.frames - self.count) <= 1)

    def stream(self, content: bytes) -> bytes:
        """Return the frames alone, with room at the end where libmpg123 would estimate the length."""
        frames = b"".join([content[start:end] for start, end in self.spans])
        if self.length_is_known:
            return frames
        if self.info:
            frames = frames[self.info.size :]
        # Tags are no frames, but count in the estimate.
        room = 2 * self.largest * (self.count + 2) - len(frames)
        return frames + _EMPTY_TAG * (max(0, room) // len(_EMPTY_TAG) + 1)


@functools.lru_cache(maxsize=1024)
def frame_shape(word: int) -> FrameShape | None:
    """Return the figures of a frame.

    Parameters
    ----------
    word
        First four bytes of the frame, as a big-endian integer.

    Returns
    -------
    FrameShape or None
        None if this is not the header of a frame.
    """
    header = Header(word)
    version, layer, index = word >> 19 & 3, 4 - (word >> 17 & 3), word >> 12 & 15
    if word >> 21 != 0x7FF or version == 1 or layer == 4 or index == 15 or word >> 10 & 3 == 3:
        return None
    rate, padding = header.sample_rate, word >> 9 & 1
    samples = 384 if layer == 1 else 1152 if layer == 2 else header.samples
    size = 0
    if index:
        tables = (_LAYER_1, _LAYER_2, MPEG1_BITRATES) if header.is_mpeg1 else (_LAYER_1_LOW, *(MPEG2_BITRATES,) * 2)
        bitrate = 1000 * tables[layer - 1][index - 1]
        size = 4 * (12 * bitrate // rate + padding) if layer == 1 else samples // 8 * bitrate // rate + padding
    return FrameShape(size, samples, rate, header.channels, layer)


def _word(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")


def _free_size(content: bytes, at: int) -> int:
    """Return the size of a frame of a free bit rate without padding: the distance to the next; 0 if none is near."""
    word = _word(content, at)
    after = content.find(b"\xff", at + 24, at + _FREE)
    while after >= 0:
        found = _word(content, after)
        if found & _SAME == word & _SAME and found >> 12 & 15 == 0 and frame_shape(found):
            return after - at - _padding(word)
        after = content.find(b"\xff", after + 1, at + _FREE)
    return 0


def _padding(word: int) -> int:
    """Return the bytes of padding of a frame."""
    return (word >> 9 & 1) * (4 if word >> 17 & 3 == 3 else 1)


def tag_size(content: bytes, at: int = 0) -> int:
    """Return the size of the tag at a place of a file, an ID3 or APE tag, in bytes; 0 if there is none."""
    start = content[at : at + 8]
    if start.startswith(_ID3):
        sizes = content[at + 6 : at + 10]
        if len(sizes) < 4 or max(sizes) > 127:
            return 0
        size = sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3]
        return 10 + size + (10 if content[at + 5] & 0x10 else 0)
    if start.startswith(b"TAG"):
        return _ID3V1
    if start == b"APETAGEX":
        size = int.from_bytes(content[at + 12 : at + 16], "little")
        has_header = bool(content[at + 23 : at + 24]) and bool(content[at + 23] & 0x20)
        return 32 + (size if has_header else 0)
    return 0


def size_of_tags_behind(content: bytes) -> int:
    """Return the size of the tags at the end of a file in bytes: ID3v1, and APE before it."""
    size = _ID3V1 if content[-_ID3V1:].startswith(b"TAG") else 0
    end = len(content) - size
    footer = content[max(0, end - 32) : end]
    if len(footer) == 32 and footer.startswith(b"APETAGEX"):
        # Its size counts the footer, and not the header.
        size += int.from_bytes(footer[12:16], "little") + (32 if footer[23] & 0x80 else 0)
    return size


def first_frame(content: bytes, at: int = 0, most: int = MAX_JUNK) -> int:
    """Return the place of the first of several frames in a row, or of the only ones; -1 if there is none.

    Parameters
    ----------
    content
        All bytes of the file.
    at
        Place from which to look.
    most
        Number of bytes to look through.
    """
    shape = frame_shape(_word(content, at))
    if shape and _is_run(content, at, free=0 if shape.size else _free_size(content, at)):
        return at
    end = min(len(content), at + most)
    at = content.find(b"\xff", at + 1, end)
    while at >= 0:
        if _is_run(content, at):
            return at
        at = content.find(b"\xff", at + 1, end)
    return -1


def _is_run(content: bytes, at: int, free: int = 0) -> bool:
    """Return whether there are frames of one kind in a row at a place, up to `_RUN` or to the end of the file."""
    same = _word(content, at) & _SAME
    for _ in range(_RUN):
        word = _word(content, at)
        size = _size(word, free)
        if word & _SAME != same or not size:
            return False
        at += size
        if at >= len(content) or tag_size(content, at):
            return at <= len(content)
    return True


def _size(word: int, free: int) -> int:
    """Return the size of a frame in bytes, given that of a free bit rate without padding; 0 if there is none."""
    shape = frame_shape(word)
    if shape is None:
        return 0
    return shape.size or (free and free + _padding(word))


def parts(content: bytes, at: int) -> list[Part]:
    """Return the streams of a file, in order.

    Parameters
    ----------
    content
        All bytes of the file.
    at
        Place of the first frame, as `first_frame` gives it.
    """
    found: list[Part] = []
    same = -1, False
    before = at
    shape = frame_shape(_word(content, at))
    free = _free_size(content, at) if shape and not shape.size else 0
    while frame := _next_frame(content, before, free):
        place, size, word, junk = frame
        gap = place - before
        before = place + size
        kind = _kind(word)
        shape = frame_shape(word)
        assert shape is not None
        info = _info(content, place, size) if shape.layer == 3 and _may_inform(content, place) else None
        if not found or info or kind != same or (gap and found[-1].length_is_known and not found[-1].missing):
            found.append(Part(shape, info))
            same = kind
        part = found[-1]
        part.junk += junk
        if gap or not part.starts:
            part.starts.append(place)
            part.ends.append(before)
        part.count += info is None
        before, count, largest = _pass_alike(content, before, same, free)
        part.ends[-1] = before
        part.count += count
        part.largest = max(part.largest, size, largest)
    return [part for part in found if part.count]


def is_cut_off(content: bytes, last: Part) -> bool:
    """Return whether a file ends within a frame, after those of its last part."""
    at = last.spans[-1][1]
    shape = frame_shape(_word(content, at)) if at + 4 <= len(content) else None
    return bool(shape and shape[2:] == last.shape[2:] and at + shape.size > len(content))


def _may_inform(content: bytes, at: int) -> bool:
    """Return whether the frame at a place has the mark of a frame of information near its start."""
    start = content[at : at + _INFO_ENDS]
    return any(mark in start for mark in _INFO)


def _kind(word: int) -> tuple[int, bool]:
    """Return what all headers of one stream share: some of the bits, and whether there is one channel."""
    return word & _SAME, word >> 6 & 3 == 3


def _next_frame(content: bytes, at: int, free: int) -> tuple[int, int, int, int] | None:
    """Return the place, size and header of a whole frame, and the bytes of junk before it; tags are passed over."""
    junk = 0
    while 0 <= at < len(content):
        word = _word(content, at)
        size = _size(word, free)
        if size and at + size <= len(content):
            return at, size, word, junk
        if not size and (tag := tag_size(content, at)):
            at += tag
        else:
            after = first_frame(content, at + 1, len(content))
            junk += after - at
            at = after
    return None


def _pass_alike(content: bytes, at: int, kind: tuple[int, bool], free: int) -> tuple[int, int, int]:
    """Return the place after whole frames of sound of one kind, their number, and the size of the largest in bytes.

    Frames of information end them: the side information of these is zeros.

    Parameters
    ----------
    content
        All bytes of the file.
    at
        Place of the first.
    kind
        What their headers share, as `_kind` returns it.
    free
        Size in bytes of a frame of a free bit rate without padding.
    """
    sizes: dict[bytes, int] = {}
    count, before = 0, at
    last = len(content) - _SMALLEST
    while at <= last:
        if not content[at + _SIDE] and _may_inform(content, at):
            break
        before = at
        start = content[at : at + 4]
        try:
            at += sizes[start]
        except KeyError:
            word = int.from_bytes(start, "big")
            size = _size(word, free) if _kind(word) == kind else 0
            if not size:
                break
            sizes[start] = size
            at += size
        count += 1
    if at > len(content):
        at = before
        count -= 1
    return at, count, max(sizes.values(), default=0)


def _info(content: bytes, at: int, size: int) -> Info | None:
    """Return the frame of information at a place; None if it is a frame of sound."""
    frame = content[at : at + 64]
    side = Header(_word(content, at)).side
    for place in (4 + side, 6 + side):  # after a checksum, too
        if frame[place : place + 4] in (b"Xing", b"Info"):
            has_count = bool(frame[place + 7 : place + 8]) and bool(frame[place + 7] & 1)
            count = int.from_bytes(frame[place + 8 : place + 12], "big") if has_count else None
            return Info(count, is_xing=True, size=size)
    if frame[36:40] == b"VBRI":
        return Info(int.from_bytes(frame[50:54], "big"), is_xing=False, size=size)
    return None
