"""Messages of protocol buffers, walked field by field in a mapped file, so that what nobody needs is skipped."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TypeAlias

Data: TypeAlias = "bytes | mmap.mmap"

MAX_FIELDS = 4_000_000
"""Number of fields that are looked at: those of a hundred thousand nodes, and some seconds of work."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Types of fields; the groups of old protocol buffers are left out."""

_MAX_VARINT = 10  # bytes
_WIDTH = {FIXED64: 8, FIXED32: 4}


class WireError(ValueError):
    """Bytes that are no message."""


class Messages:
    """Messages in a file.

    Parameters
    ----------
    data
        Content of the file.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self.left = MAX_FIELDS

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the fields of the message between two positions.

        Yields
        ------
        tuple
            Number of the field, its type, and two numbers: the value and 0 for `VARINT`, else where its bytes begin
            and end.

        Raises
        ------
        WireError
            If the bytes are no message, or if there are too many fields.
        """
        data = self.data
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise WireError(f"it has more than {MAX_FIELDS} fields")
            start = at
            tag = data[at]
            at += 1
            if tag >= 0x80:
                tag, at = varint(data, start, end)
            kind = tag & 7
            if tag < 8:  # as in a file of zeros
                raise WireError(f"a field without a number at byte {start}")
            if kind == VARINT:
                value, at = varint(data, at, end)
                yield tag >> 3, kind, value, 0
                continue
            if kind == BYTES:
                size, at = varint(data, at, end)
            else:
                size = _WIDTH.get(kind, 0)
                if not size:
                    raise WireError(f"a field of an unknown type at byte {start}")
            if size > end - at:
                raise WireError(f"it ends within the field at byte {start}")
            yield tag >> 3, kind, at, at + size
            at += size

    def text(self, begin: int, end: int) -> str:
        """Return the text between two positions; bytes that are no UTF-8 are escaped."""
        return bytes(self.data[begin:end]).decode("utf-8", "backslashreplace")


def varint(data: Data, at: int, end: int) -> tuple[int, int]:
    """Return a number of varying length and the position behind it.

    Raises
    ------
    WireError
        If it does not end before ``end``, or is too long.
    """
    number = shift = 0
    for place in range(at, min(end, at + _MAX_VARINT)):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place + 1
        shift += 7
    raise WireError(f"a number at byte {at} has no end")


def signed(number: int) -> int:
    """Return a number of 64 bits that may be negative."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number
