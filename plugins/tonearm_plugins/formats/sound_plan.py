"""Plans of how libsndfile reads a file: as it is, or its streams one after the other.

libsndfile reads the first stream of a file alone, MP3 as far as it estimates, and no FLAC in Ogg. Files of which that
would be wrong are taken apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from tonearm.api import MAX_SAMPLE_RATE, ItemError, check_memory, file_types
from tonearm_plugins.formats import chunk_sizes, ffmpeg_formats, flac_frames, mpeg_stream, ogg_stream
from tonearm_plugins.formats.sndfile_reading import KNOWN, read_bytes_at, size_in_bytes

MAX_STREAMS = 4096
"""Largest number of streams in one file."""

UNKNOWN_SIZE = 0x7FFFF000
"""Smallest size in bytes that programs write into a pipe, where they cannot know the real one."""

_HEAD = max(ffmpeg_formats.HEAD, file_types.HEAD)
_MOST_TAGS = 16  # in front of one another


@dataclass(frozen=True)
class Plan:
    """How a file is read: its streams, and the warnings to give.

    A stream is bytes, or None for the file itself. The lengths of streams whose headers give none are in `lengths`.
    """

    streams: tuple[bytes | None, ...] = (None,)
    lengths: tuple[int | None, ...] = (None,)
    warnings: tuple[str, ...] = ()
    held: int = 0
    is_mpeg: bool = False


class Head:
    """First bytes of a file, after tags in front of its format.

    Attributes
    ----------
    at
        Place of the format in the file.
    start
        First bytes of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.at = 0
        self.start = read_bytes_at(file, _HEAD, 0)
        for _ in range(_MOST_TAGS):
            size = mpeg_stream.tag_size(self.start) if self.start.startswith(b"ID3") else 0
            if not size:
                return
            self.at += size
            self.start = read_bytes_at(file, _HEAD, self.at)

    def foreign(self, name: str, *, last: bool = False) -> tuple[str, str] | None:
        """Return the demuxer of ffmpeg and the name of the format; None if libsndfile is to read it.

        Parameters
        ----------
        name
            Name of the file.
        last
            Whether libsndfile has refused it.
        """
        if self.start[:4] == b"RIFF" and self.start[8:12] == b"WAVE" and chunk_sizes.holds_bitstream(self.start):
            return "wav", "a WAV file that holds DTS or Dolby Digital"
        is_own = self.start.startswith(KNOWN) and self.start[8:12] not in (b"AVI ", b"XWMA")
        if not last and (is_own or self.is_mpeg or self._is_simple_voc):
            return None
        return ffmpeg_formats.demuxer_of(self.start, name)

    @property
    def _is_simple_voc(self) -> bool:
        """Whether the file is a VOC file with one block of sound; libsndfile plays the headers of further blocks."""
        if not self.start.startswith(_VOC):
            return False
        block = int.from_bytes(self.start[20:22], "little")
        after = block + 4 + int.from_bytes(self.start[block + 1 : block + 4], "little")
        return read_bytes_at(self._file, 1, after) in (b"", b"\0")

    @property
    def is_mpeg(self) -> bool:
        """Whether the file begins with the header of an MPEG audio frame."""
        shape = mpeg_stream.frame_shape(int.from_bytes(self.start[:4], "big")) if len(self.start) >= 4 else None
        return shape is not None


_VOC = b"Creative Voice File"


def plan_of(file: BinaryIO, name: str, head: Head) -> Plan:
    """Return how a file is read by libsndfile."""
    if head.start.startswith(ogg_stream.MAGIC):
        return _plan_ogg(whole_content(file, name), head)
    if head.is_mpeg or (head.at and not head.start.startswith(KNOWN)):
        content = whole_content(file, name)
        first = mpeg_stream.first_frame(content, head.at)
        if first >= 0:
            return _plan_mpeg(content, first, head.at)
    if head.start[:4] == b"RIFF" and head.start[12:16] == b"fmt " and head.start[20:22] in _MPEG_IN_WAV:
        content = whole_content(file, name)
        start, end = _data_of_wav(content, head.at)
        if len(content) < end < start + UNKNOWN_SIZE:
            raise cut_short_error(
                f"the header claims {end - start}, but the file has room for {len(content) - start} only"
            )
        first = mpeg_stream.first_frame(content[:end], start)
        if first >= 0:
            return _plan_mpeg(content[:end], first, -1)
    length = None
    if head.start.startswith(chunk_sizes.W64):
        length, place = chunk_sizes.length_of_w64(head.start), _extensible_floats(head.start)
        if place:
            content = whole_content(file, name)[head.at :]
            return Plan((content[:place] + _FLOAT + content[place + 2 :],), (length,), held=2 * len(content))
    elif head.start.startswith(b"caff"):
        length = chunk_sizes.length_of_caf(head.start)
    # Where FLAC of a known length ends is known only when it has been decoded.
    is_flac = head.start.startswith(b"fLaC") and flac_frames.length_of_flac(head.start)
    joined = None if is_flac else plan_of_joined(file, name, head)
    if joined:
        return joined
    return Plan((whole_content(file, name)[head.at :] if head.at else None,), (length,))


def plan_of_open_sizes(file: BinaryIO, name: str, head: Head) -> Plan | None:
    """Return how a file is read whose header leaves the size of its samples open; None if it is another."""
    if not head.start.startswith((b"RIFF", b"RF64", b"BW64", b"caff", b".snd")):
        return None
    content = chunk_sizes.with_sizes(whole_content(file, name)[head.at :])
    return None if content is None else Plan((content,), held=2 * len(content))


def plan_of_joined(file: BinaryIO, name: str, head: Head, after: int = 0) -> Plan | None:
    """Return how a file is read that ``cat`` has joined from several of one format; None if it is another.

    Parameters
    ----------
    file, name, head
        Open file, its name for messages, and its first bytes.
    after
        Place after which further FLAC files are looked for, in bytes.
    """
    starts = [head.at, *_joined_starts(file, head, after)]
    if len(starts) == 1:
        return None
    content = whole_content(file, name)
    _check_count(len(starts))
    streams = tuple(content[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True))
    return Plan(streams, (None,) * len(streams), held=2 * len(content))


def plan_of_longer_flac(file: BinaryIO, name: str, head: Head) -> Plan | None:
    """Return how a FLAC file is read that has more samples than its header says; None if it has not."""
    size, tail = size_in_bytes(file), flac_frames.size_of_tail(head.start)
    claimed = flac_frames.length_of_flac(head.start)
    found = flac_frames.end_of_sound(head.start, read_bytes_at(file, tail, max(head.at, size - tail)))
    if not 0 < claimed < found:
        return None
    content = flac_frames.without_length(whole_content(file, name)[head.at :])
    warning = f"the header claims {claimed:,} samples, and there are more: all of the file is read"
    return Plan((content,), (None,), (warning,), 2 * len(content))


_CHUNKED: Mapping[bytes, tuple[Literal["little", "big"], tuple[bytes, ...]]] = {
    b"RIFF": ("little", (b"WAVE",)),
    b"FORM": ("big", (b"AIFF", b"AIFC")),
}
_FLAC = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # with the header of its first block, which has 34 bytes
_FLAC_MARK = 8  # bytes
_STEP = 1 << 20  # bytes that are searched at a time
_ALIGNED = 7  # most zero bytes that fill up the end of a file


def _joined_starts(file: BinaryIO, head: Head, after: int) -> Iterator[int]:
    """Yield the places of further files of the same format that follow the first."""
    size = size_in_bytes(file)
    if head.start.startswith(b"fLaC"):
        for at in range(max(head.at, after) + 1, size, _STEP):
            block = read_bytes_at(file, _STEP + _FLAC_MARK - 1, at)
            yield from (at + found.start() for found in _FLAC.finditer(block))
    elif head.start[:4] in _CHUNKED:
        order, forms = _CHUNKED[head.start[:4]]
        start, at = head.start[:12], head.at
        while int.from_bytes(start[4:8], order) < UNKNOWN_SIZE:
            at += 8 + int.from_bytes(start[4:8], order)
            if at >= size:
                return
            start = read_bytes_at(file, 13, at)
            if start[:1] == b"\0":  # which fills up an odd number of bytes
                start, at = start[1:], at + 1
            if start[:4] != head.start[:4] or start[8:12] not in forms:
                return
            yield at
    elif head.start.startswith(chunk_sizes.SIZED):
        at, start = head.at, head.start
        while size > (end := at + chunk_sizes.end_of_sized(start)) > at:
            start = read_bytes_at(file, _HEAD, end)
            gap = len(start) - len(start[:_ALIGNED].lstrip(b"\0") + start[_ALIGNED:])
            at, start = end + gap, start[gap:]
            if not start.startswith(head.start[:4]):
                return
            yield at


_W64_FORMAT = b"fmt \xf3\xac\xd3\x11"
_EXTENSIBLE, _FLOAT = b"\xfe\xff", b"\3\0"


def _extensible_floats(start: bytes) -> int:
    """Return the place of the format of a W64 file of floats with an extensible header; 0 if it is another file.

    libsndfile reads these floats as integers, unless the format says what the extension says.
    """
    place = start.find(_W64_FORMAT) + 24
    is_found = place > 24 and start[place : place + 2] == _EXTENSIBLE and start[place + 24 : place + 26] == _FLOAT
    return place if is_found else 0


_MPEG_IN_WAV = (b"\x50\0", b"\x55\0")


def _data_of_wav(content: bytes, at: int) -> tuple[int, int]:
    """Return the place of the samples of a WAV file in bytes."""
    at += 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"data":
            return at + 8, at + 8 + size
        at += 8 + size + size % 2
    return len(content), len(content)


def _plan_ogg(content: bytes, head: Head) -> Plan:
    links = ogg_stream.links(content)
    _check_count(len(links))
    warnings = []
    if any(link.sounds > 1 for link in links):
        warnings.append(f"it holds {max(link.sounds for link in links)} streams of sound; only the first is read")
    if not all(link.has_end for link in links):
        warnings.append("the Ogg stream has no end mark: it may be cut short")
    gaps = sum(link.gaps for link in links)
    if gaps:
        warnings.append(f"the Ogg stream has {gaps} gaps: pages are missing")
    if len(links) < 2 and not any(link.is_flac for link in links) and not head.at:
        return Plan((content,), (None,), tuple(warnings), 2 * len(content))
    streams = tuple(
        ogg_stream.native_flac(content, link) if link.is_flac else content[link.start : link.end] for link in links
    )
    return Plan(streams, (None,) * len(streams), tuple(warnings), 2 * len(content))


def plan_after_junk(file: BinaryIO, name: str, refusal: ItemError) -> Plan:
    """Return how MPEG audio after zeros or junk is read; raise the error if there is none."""
    if not size_in_bytes(file):
        raise refusal
    content = whole_content(file, name)
    first = mpeg_stream.first_frame(content)
    plan = _plan_mpeg(content, first, 0) if first >= 0 else Plan()
    if not plan.is_mpeg:
        raise refusal
    return plan


def _plan_mpeg(content: bytes, first: int, at: int) -> Plan:
    parts = mpeg_stream.parts(content, first)
    if not parts:
        return Plan()
    _check_count(len(parts))
    for part in parts:
        if part.missing > 1:
            damage = f", and {part.junk:,} bytes that are none" if part.junk else ""
            raise cut_short_error(f"it has {part.count} of {part.count + part.missing} frames{damage}")
    junk = sum(part.junk for part in parts)
    warnings = [f"{junk:,} bytes between the frames are no MPEG audio, and are skipped"] if junk else []
    if mpeg_stream.is_cut_off(content, parts[-1]):
        warnings.append("the last frame is not whole: the file may be cut short")
    lengths = tuple(None if part.length_is_known else part.count * part.shape.samples for part in parts)
    behind = len(content) - mpeg_stream.size_of_tags_behind(content)
    if len(parts) == 1 and lengths[0] is None and parts[0].spans == [(at, behind)]:
        return Plan((None,), lengths, tuple(warnings), is_mpeg=True)
    streams = tuple(part.stream(content) for part in parts)
    return Plan(streams, lengths, tuple(warnings), len(content) + sum(map(len, streams)), is_mpeg=True)


def _check_count(count: int) -> None:
    if count > MAX_STREAMS:
        raise ItemError(
            f"it joins {count:,} streams, more than {MAX_STREAMS:,}",
            code="too-long",
            hint="split it into several files",
        )


def whole_content(file: BinaryIO, name: str) -> bytes:
    """Return all bytes of a file without moving its position."""
    size = size_in_bytes(file)
    check_memory(name, "", size)
    return read_bytes_at(file, size, 0)


def cut_short_error(what: str) -> ItemError:
    """Return the error for a file that ends too early."""
    return ItemError(
        f"the file is cut short: {what}", code="truncated", hint="the write was interrupted; write the file again"
    )


# libsndfile's notes on a file that ends before its header says; it reads the rest without an error.
_SHORT = re.compile(r"^\s*(?:data|Data Size|SSND|riff)\s*: (?P<claimed>\d+) \(should be (?P<found>\d+)\)", re.MULTILINE)
_SHORT_RF64 = re.compile(
    r"Data size : (?P<size>\d+)$.*Block Align\s*: (?P<align>\d+)$.*frame count (?P<found>\d+) does not match",
    re.MULTILINE | re.DOTALL,
)
_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF)  # of RF64


def check_header(sound: Any) -> None:
    """Refuse a file with an impossible sample rate, or with fewer bytes than its header claims."""
    if not 1 <= sound.samplerate <= MAX_SAMPLE_RATE:
        raise ItemError(f"the header claims a sample rate of {sound.samplerate} Hz", code="bad-audio")
    notes = sound.extra_info
    for note in _SHORT.finditer(notes):
        if int(note["found"]) < int(note["claimed"]) < UNKNOWN_SIZE:
            raise cut_short_error(
                f"the header claims {note['claimed']}, but the file has room for {note['found']} only"
            )
    large = _SHORT_RF64.search(notes) if sound.format == "RF64" else None
    if large and int(large["size"]) not in _UNKNOWN_SIZES:
        found = int(large["found"]) * int(large["align"])
        if found + int(large["align"]) <= int(large["size"]):
            raise cut_short_error(f"the header claims {large['size']} bytes, but the file has room for {found} only")
