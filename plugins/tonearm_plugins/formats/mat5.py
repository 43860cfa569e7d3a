"""MATLAB's format of versions 5 to 7, checked before SciPy opens it: SciPy crashes on types that do not exist."""

from __future__ import annotations

import math
import struct
from typing import BinaryIO

from tonearm.api import ARRAY_BYTES, SAVE_UNCOMPRESSED, WRITE_AGAIN, ItemError, quoted, size_of

_HEADER = 128  # bytes
_MATRIX, _COMPRESSED = 14, 15
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_NUMERIC = range(6, 16)  # classes of matrices
_COMPLEX = 0x0800


def check(file: BinaryIO, name: str) -> None:
    """Raise `ItemError` if an element of a file does not match its tags.

    Parameters
    ----------
    file
        Open file of version 5 to 7, binary. It is left at its start.
    name
        Name of the file, for messages.
    """
    size = size_of(file)
    header = file.read(_HEADER)
    if len(header) < _HEADER or header[126:] not in (b"IM", b"MI"):
        raise _broken(name, "its header is cut off or wrong")
    order = "<" if header[126:] == b"IM" else ">"
    at = _HEADER
    while at < size:
        file.seek(at)
        tag = file.read(8)
        kind, count = struct.unpack(order + "II", tag) if len(tag) == 8 else (0, 0)
        if kind not in (_MATRIX, _COMPRESSED) or count > size - at - 8:
            raise _broken(name, f"byte {at:,} does not start a variable")
        if kind == _COMPRESSED:
            body = _inflated(file.read(count), size, name)
            kind, inner = struct.unpack(order + "II", body[:8]) if len(body) >= 8 else (0, 0)
            if kind != _MATRIX or inner != len(body) - 8:
                raise _broken(name, f"byte {at:,} does not start a variable")
            body = body[8:]
        else:
            body = file.read(count)
        _check_matrix(body, order, name)
        at += 8 + count
    file.seek(0)


def _check_matrix(body: bytes, order: str, name: str) -> None:
    """Check one variable; those that are not matrices of numbers are never read."""
    kind, flags, at = _element(body, 0, order, name)
    if kind != 6 or len(flags) != 8:
        raise _broken(name, "a variable has no type")
    flag = struct.unpack(order + "I", flags[:4])[0]
    kind, dims, at = _element(body, at, order, name)
    if kind != 5 or len(dims) % 4 or not 2 <= len(dims) // 4 <= 32:
        raise _broken(name, "a variable has no shape")
    shape = struct.unpack(f"{order}{len(dims) // 4}i", dims)
    kind, _, at = _element(body, at, order, name)
    if kind != 1 or min(shape) < 0:
        raise _broken(name, "a variable has no name, or an impossible shape")
    if flag & 0xFF not in _NUMERIC:
        return
    for part in ("values", "imaginary parts")[: 2 if flag & _COMPLEX else 1]:
        kind, values, at = _element(body, at, order, name)
        if kind not in _SIZES or len(values) != math.prod(shape) * _SIZES[kind]:
            raise _broken(name, f"a variable of shape {shape} has {len(values):,} bytes of {part}")


def _element(body: bytes, at: int, order: str, name: str) -> tuple[int, memoryview, int]:
    """Return the type and the bytes of an element, and the position of the next one."""
    if at + 8 > len(body):
        raise _broken(name, "a variable is cut off")
    kind, count = struct.unpack_from(order + "II", body, at)
    if kind >> 16:  # up to 4 bytes are in the tag itself
        kind, count, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if count > 4:
            raise _broken(name, "a variable is cut off")
    else:
        start = at + 8
        end = start + -(-count // 8) * 8
    if start + count > len(body):
        raise _broken(name, "a variable is cut off")
    return kind, memoryview(body)[start : start + count], end


def _inflated(data: bytes, size: int, name: str) -> bytes:
    """Return the bytes of a compressed variable, or raise `ItemError` for more than data ever inflate to."""
    import zlib

    limit = ARRAY_BYTES.limit(size)
    try:
        inflater = zlib.decompressobj()
        body = inflater.decompress(data, limit)
    except zlib.error as error:
        raise _broken(name, str(error)) from None
    if inflater.unconsumed_tail:
        what = f"inflates from {size:,} to more than {limit:,} bytes"
        raise ItemError(f"{quoted(name)} {what}", code="too-large", hint=f"{SAVE_UNCOMPRESSED}: -v6")
    if not inflater.eof:
        raise _broken(name, "a variable is cut off")
    return body


def _broken(name: str, what: str) -> ItemError:
    return ItemError(f"{quoted(name)} is damaged: {what}", code="broken-file", hint=WRITE_AGAIN)
