"""Sizes in the headers of WAV, W64, AU and CAF files where libsndfile does not go by them, or by the file instead."""

from __future__ import annotations

from collections.abc import Iterator

W64 = b"riff\x2e\x91\xcf\x11"
_W64_NAME = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # after the four letters of a chunk
_W64_HEADER = 40  # bytes before the first chunk


def length_of_w64(start: bytes) -> int | None:
    """Return the samples of each channel that the header of a W64 file gives.

    libsndfile takes what follows them for more, unless it knows it.

    Parameters
    ----------
    start
        First bytes of the file.

    Returns
    -------
    int or None
        None if they have no header of samples, or if the samples are compressed.
    """
    at, align = _W64_HEADER, 0
    while at + 24 <= len(start):
        size = int.from_bytes(start[at + 16 : at + 24], "little")
        if start[at : at + 16] == b"data" + _W64_NAME:
            return (size - 24) // align if align and size < 1 << 62 else None
        if start[at : at + 16] == b"fmt " + _W64_NAME and _is_pcm(start[at + 24 : at + 64]):
            align = int.from_bytes(start[at + 36 : at + 38], "little")
        at += max(24, -(-size // 8) * 8)
    return None


def _is_pcm(form: bytes) -> bool:
    """Return whether the format of a WAV or W64 file is one of integers or floats."""
    tag = form[24:26] if form[:2] == b"\xfe\xff" else form[:2]
    return tag in (b"\1\0", b"\3\0")


def length_of_caf(start: bytes) -> int | None:
    """Return the samples of each channel that the header of a CAF file gives, as for `length_of_w64`.

    libsndfile goes by the size of the file.
    """
    align = int.from_bytes(start[36:40], "big") if start[28:32] == b"lpcm" else 0
    for name, place, size in _chunks_of_caf(start):
        if name == b"data" and 4 <= size < 1 << 62 and align and place <= len(start):
            return (size - 4) // align
    return None


def _chunks_of_caf(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, the place and the size in bytes of the body of each chunk."""
    at = 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 12], "big")
        yield content[at : at + 4], at + 12, size
        at += 12 + size


SIZED = (W64, b"caff", b".snd")
"""First bytes of the formats of which `end_of_sized` knows where a file ends."""


def end_of_sized(start: bytes) -> int:
    """Return the size in bytes that the header of a W64, CAF or AU file gives; 0 if it leaves it open.

    Parameters
    ----------
    start
        First bytes of the file.
    """
    if start.startswith(W64):
        return int.from_bytes(start[16:24], "little")
    if start.startswith(b"caff"):
        return next(
            (place + size for name, place, size in _chunks_of_caf(start) if name == b"data" and size >> 62 == 0), 0
        )
    size = int.from_bytes(start[8:12], "big")
    return 0 if size in (0, 0xFFFFFFFF) else int.from_bytes(start[4:8], "big") + size


def with_sizes(content: bytes) -> bytes | None:
    """Return a file whose header leaves the size of its samples open, with that of all that follows.

    Programs that write into a pipe leave it at 0 or -1.

    Parameters
    ----------
    content
        All bytes of a WAV, RF64, BW64, AU or CAF file.

    Returns
    -------
    bytes or None
        None if the header gives the size, if there are no samples, or if it is another file. What libsndfile knows as
        RF64 is RF64.
    """
    if content.startswith(b"caff"):
        for name, place, size in _chunks_of_caf(content):
            if name == b"data" and size == (1 << 64) - 1:
                return content[: place - 8] + (len(content) - place).to_bytes(8, "big") + content[place:]
        return None
    if content.startswith(b".snd"):
        is_open = len(content) > int.from_bytes(content[4:8], "big") and content[8:12] == bytes(4)
        return content[:8] + b"\xff" * 4 + content[12:] if is_open else None
    if content[:4] not in (b"RIFF", b"RF64", b"BW64") or content[8:12] != b"WAVE":
        return None
    is_large = content[:4] != b"RIFF"
    found = bytearray(content)
    found[:4] = b"RF64" if is_large else b"RIFF"
    sizes = 0  # place of the sizes of RF64
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"ds64":
            sizes = at + 8
        if name == b"data":
            rest = len(content) - at - 8
            stated = int.from_bytes(content[sizes + 8 : sizes + 16], "little") if is_large and sizes else size
            if stated:
                return bytes(found) if content[:4] == b"BW64" else None
            if not rest or _are_chunks(content, at + 8):
                return None
            if is_large and sizes:
                found[sizes + 8 : sizes + 16] = rest.to_bytes(8, "little")
            else:
                found[at + 4 : at + 8] = b"\xff" * 4
            return bytes(found)
        at += 8 + size + size % 2
    return None


def _are_chunks(content: bytes, at: int) -> bool:
    """Return whether chunks of a WAV file, and nothing else, follow a place."""
    while at + 8 <= len(content):
        name = content[at : at + 4]
        if not name.isascii() or not name.replace(b" ", b"a").isalnum():
            return False
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return at in (len(content), len(content) + 1)


_MOST_BEFORE = 512
"""Bytes of headers in which the mark of a bitstream is looked for, from the samples on."""


def holds_bitstream(start: bytes) -> bool:
    """Return whether the 16-bit samples of a WAV file are no samples, but DTS or Dolby Digital, as CDs have them.

    Parameters
    ----------
    start
        First bytes of the file.
    """
    at = start.find(b"data", 36)
    if at < 0 or start[20:22] not in (b"\1\0", b"\xfe\xff") or start[34:36] != b"\x10\0":
        return False
    samples = start[at + 8 : at + 8 + _MOST_BEFORE]
    if samples.count(b"\0") == len(samples):
        samples = start[at + 8 :]
    for mark, after, mask, bits in _BITSTREAMS:
        place = samples.find(mark)
        if place >= 0 and place % 2 == 0 and samples[place + after : place + after + 1]:
            return samples[place + after] & mask == bits
    return False


_BITSTREAMS = (
    (b"\x72\xf8\x1f\x4e", 5, 0xE0, 0x00),  # IEC 61937
    (b"\xfe\x7f\x01\x80", 5, 0xFC, 0xFC),  # DTS
    (b"\xff\x1f\x00\xe8", 5, 0xFF, 0x07),  # DTS in 14 of 16 bits
)
"""Marks of bitstreams, and a byte after each: its place, a mask, and its bits."""
