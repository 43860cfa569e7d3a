"""Headers of WAV and its relatives: complete before the first sample where the length is known.

WAV follows Microsoft's multiple-channel note (WAVE_FORMAT_EXTENSIBLE for more than two channels or more than 16 bits of
PCM), RF64 and ``bext`` follow EBU Tech 3306 and 3285, W64 follows Sony's specification, in which chunks are named by
GUIDs, sized in 64 bits and aligned to 8 bytes.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from tonearm.api import WELL_KNOWN_TAGS

Subtype = Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
Form = Literal["auto", "RIFF", "RF64", "W64"]
Chunk = tuple[bytes, bytes]
"""Name of four bytes, and content of a chunk."""

RIFF_BYTES = 0xFFFFFFFF
"""Largest size that the header of a RIFF file can give, in bytes; RF64 has no limit."""

BITS: dict[str, int] = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
INFO: Mapping[str, bytes] = {
    **{name: tag.info.encode() for name, tag in WELL_KNOWN_TAGS.items() if tag.info},
    "software": b"ISFT",
}
"""Names of tags in a LIST chunk of type INFO."""

_PCM, _IEEE_FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
# Front centre; left and right; 3.0; quad; 5.0; 5.1; 6.1; 7.1. More channels are not assigned to loudspeakers (0).
_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


class Frame(Struct, frozen=True):
    """Bytes around the samples of a file.

    Parameters
    ----------
    start, end
        Bytes before and after the samples.
    total
        Size of the whole file in bytes.
    """

    start: bytes
    end: bytes
    total: int


def frame(
    sample_rate: int,
    channels: int,
    frames: int | None,
    subtype: Subtype,
    form: Form = "auto",
    *,
    before: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
) -> Frame:
    """Return the bytes around the samples of a file.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    frames
        Samples of each channel. None gives the RIFF header of a pipe, whose sizes are all ones: readers that know it
        from ffmpeg, and all others that were tried, read on to the end.
    subtype
        Sample format.
    form
        Format of the file: RF64, RIFF, W64, or auto, which is RIFF up to a size of 2^32 − 1 bytes and RF64 above.
    before, after
        Additional chunks, before and after the samples.

    Raises
    ------
    ValueError
        The header cannot hold the numbers.
    """
    if before or after:
        return _frame(sample_rate, channels, frames, subtype, form, before, after)
    return _plain_frame(sample_rate, channels, frames, subtype, form)


@functools.lru_cache(maxsize=8, typed=True)
def _plain_frame(sample_rate: int, channels: int, frames: int | None, subtype: Subtype, form: Form) -> Frame:
    """Return the frame of a file that has samples alone; a writer asks for it twice, to check it and to write it."""
    return _frame(sample_rate, channels, frames, subtype, form, (), ())


def _frame(
    sample_rate: int,
    channels: int,
    frames: int | None,
    subtype: Subtype,
    form: Form,
    before: Sequence[Chunk],
    after: Sequence[Chunk],
) -> Frame:
    if subtype not in BITS:
        raise ValueError(f"subtype must be one of {', '.join(BITS)}, not {subtype!r}")
    width = channels * BITS[subtype] // 8
    if not (channels >= 1 and width <= 0xFFFF):
        raise ValueError(f"WAV cannot hold {channels} channels of {subtype}")
    if not (sample_rate >= 1 and sample_rate * width <= 0xFFFFFFFF):
        raise ValueError(f"WAV cannot hold {sample_rate} Hz with {channels} channels of {subtype}")
    if frames is None and form in ("RF64", "W64"):
        raise ValueError(f"{form} needs the length beforehand")
    if frames is not None and not 0 <= frames <= 0x7FFFFFFFFFFFFFFF // (2 * width):
        raise ValueError(f"frames is out of range: {frames}")
    is_open = frames is None
    frames = 0xFFFFFFFF if frames is None else frames
    chunks = [*before, (b"fmt ", _fmt(sample_rate, channels, subtype, form))]
    if not subtype.startswith("PCM"):
        # W64 has 64 bits for it; RF64 has the full number in ds64.
        wide = struct.pack("<Q", frames) if form == "W64" else struct.pack("<I", min(frames, 0xFFFFFFFF))
        chunks.append((b"fact", wide))
    if is_open:
        head = b"".join(_chunk(*chunk) for chunk in (*chunks, *after))
        start = struct.pack("<4sI4s", b"RIFF", 0xFFFFFFFF, b"WAVE") + head + struct.pack("<4sI", b"data", 0xFFFFFFFF)
        return Frame(start, b"", 0)
    data = frames * width
    return _w64(chunks, data) if form == "W64" else _riff(chunks, data, frames, form, after)


def _riff(chunks: Sequence[Chunk], data: int, frames: int, form: Form, after: Sequence[Chunk]) -> Frame:
    head = b"".join(_chunk(*chunk) for chunk in chunks)
    end = bytes(data % 2) + b"".join(_chunk(*chunk) for chunk in after)
    size = 4 + len(head) + 8 + data + len(end)
    if form == "RIFF" and size > RIFF_BYTES:
        raise ValueError(f"{data} bytes of samples do not fit into a WAV file without RF64")
    if form == "RF64" or size > RIFF_BYTES:
        size += 36
        start = struct.pack("<4sI4s4sIQQQI", b"RF64", 0xFFFFFFFF, b"WAVE", b"ds64", 28, size, data, frames, 0)
        start += head + struct.pack("<4sI", b"data", 0xFFFFFFFF)
    else:
        start = struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + head + struct.pack("<4sI", b"data", data)
    return Frame(start, end, size + 8)


def _w64(chunks: Sequence[Chunk], data: int) -> Frame:
    parts = [
        name + _W64_TAIL + struct.pack("<Q", 24 + len(body)) + body + bytes(-len(body) % 8) for name, body in chunks
    ]
    head = b"".join(parts)
    total = 40 + len(head) + 24 + data  # no alignment at the end, which libsndfile would read as samples
    start = _W64_RIFF + struct.pack("<Q", total) + b"wave" + _W64_TAIL + head
    return Frame(start + b"data" + _W64_TAIL + struct.pack("<Q", 24 + data), b"", total)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + bytes(len(body) % 2)


def _fmt(sample_rate: int, channels: int, subtype: Subtype, form: Form) -> bytes:
    """Return the body of a ``fmt`` chunk, in the simplest form that the standard allows."""
    bits, pcm = BITS[subtype], subtype.startswith("PCM")
    width = channels * bits // 8
    tag = _PCM if pcm else _IEEE_FLOAT
    # libsndfile, and so SoX, read floats of W64 with an extensible header as integers.
    extensible = (channels > 2 and (pcm or form != "W64")) or (pcm and bits > 16)
    shown = _EXTENSIBLE if extensible else tag
    body = struct.pack("<HHIIHH", shown, channels, sample_rate, sample_rate * width, width, bits)
    if extensible:
        return body + struct.pack("<HHIH", 22, bits, _MASKS.get(channels, 0), tag) + _GUID_TAIL
    return body if pcm else body + struct.pack("<H", 0)


def info_chunk(tags: Mapping[str, str]) -> Chunk | None:
    """Return the LIST chunk with the tags that it has names for, in UTF-8; None if there are none."""
    body = b"".join(_chunk(INFO[name], value.encode() + b"\0") for name, value in tags.items() if name in INFO)
    return (b"LIST", b"INFO" + body) if body else None


def bext_chunk(
    *,
    description: str = "",
    originator: str = "",
    originator_reference: str = "",
    date: str = "",
    time: str = "",
    time_reference: int = 0,
    coding_history: str = "",
) -> Chunk:
    """Return the chunk of the Broadcast Wave Format, version 1, without a UMID.

    Parameters
    ----------
    description, originator, originator_reference
        Texts in ASCII, cut to 256, 32 and 32 bytes.
    date, time
        Date and time of origination, ``yyyy-mm-dd`` and ``hh:mm:ss``.
    time_reference
        Samples from midnight to the first sample.
    coding_history
        History of the coding, one step a line.
    """
    lines = "".join(f"{line}\r\n" for line in coding_history.splitlines())
    texts = (_ascii(description), _ascii(originator), _ascii(originator_reference), _ascii(date), _ascii(time))
    head = struct.pack("<256s32s32s10s8sQH", *texts, time_reference, 1)
    return b"bext", head + bytes(64 + 190) + _ascii(lines)


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")
