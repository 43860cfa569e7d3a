"""Headers of FLAC frames: where the sound ends, whatever the header of the file says of its length."""

from __future__ import annotations

_SYNC = b"\xff"
_MARKS = (0xF8, 0xF9)  # after the sync byte, with blocks of a fixed or of a variable size
_NO_SIZE, _NO_RATE = 3, 15  # codes that are not used
_MOST = 16  # bytes of the largest header of a frame


def length_of_flac(start: bytes) -> int:
    """Return the samples of each channel that the header of a FLAC file gives; 0 if it gives none."""
    return int.from_bytes(start[21:26], "big") & ((1 << 36) - 1)


def without_length(content: bytes) -> bytes:
    """Return a FLAC file whose header gives no length, so that it is decoded to its end."""
    return content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]


def size_of_tail(start: bytes) -> int:
    """Return the bytes at the end of a file in which its last frame begins."""
    largest = int.from_bytes(start[15:18], "big")
    return (largest or 1 << 16) + 1024


def end_of_sound(start: bytes, tail: bytes) -> int:
    """Return the number of the sample after the last frame that begins in the last bytes of a file.

    Parameters
    ----------
    start
        First bytes of the file, as many as its first header has.
    tail
        Last bytes of the file.

    Returns
    -------
    int
        0 if no frame begins there.
    """
    each = int.from_bytes(start[8:10], "big")  # samples of a block of fixed size
    at = tail.rfind(_SYNC)
    while at >= 0:
        found = _end_of_frame(tail[at : at + _MOST], each)
        if found:
            return found
        at = tail.rfind(_SYNC, 0, at)
    return 0


def _end_of_frame(head: bytes, each: int) -> int:
    """Return the number of the sample after a frame; 0 if this is not the header of one."""
    if len(head) < 6 or head[1] not in _MARKS or head[2] >> 4 == 0 or head[2] & 15 == _NO_RATE or head[3] & 1:
        return 0
    if head[3] >> 4 > 10 or head[3] >> 1 & 7 == _NO_SIZE:
        return 0
    ones = 8 - (head[4] ^ 0xFF).bit_length()  # of the number, which is coded as UTF-8 codes letters
    count = max(1, ones)
    if ones in (1, 8):
        return 0
    number = head[4] & (0xFF >> (ones + 1 if ones else 0))
    for byte in head[5 : 4 + count]:
        number = number << 6 | byte & 0x3F
    at, code = 4 + count, head[2] >> 4
    if code in (6, 7):
        block = int.from_bytes(head[at : at + code - 5], "big") + 1
        at += code - 5
    else:
        block = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8
    at += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return 0
    return (number if head[1] & 1 else number * each) + block


def _crc8(data: bytes) -> int:
    """Return the CRC-8 of bytes, with the polynomial 0x07."""
    state = 0
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state << 1 ^ (7 if state & 0x80 else 0)) & 0xFF
    return state
