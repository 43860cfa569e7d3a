"""MATLAB's format of versions 5 to 7, checked before SciPy opens it: SciPy crashes on types that do not exist."""

from __future__ import annotations

import io
import math
import struct
from typing import BinaryIO

from tonearm.api import (
    ARRAY_BYTES,
    SAVE_UNCOMPRESSED,
    WRITE_AGAIN,
    InflatedFile,
    InflationBound,
    ItemError,
    check_memory,
    quoted,
    size_of,
)

_HEADER = 128  # bytes
_MATRIX, _COMPRESSED = 14, 15
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_WIDTHS = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}  # bytes of a value by its class
_SHAPES = (5, 6)  # int32, as the format demands, or uint32, as some programs write
_NAMES = (1, 16)  # int8, or UTF-8
_COMPLEX = 0x0800
_LARGEST_LABEL = 4096  # bytes of a type, a shape or a name


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
            try:
                _check_compressed(file.read(count), order, size, name, at)
            except ItemError as error:
                if error.hint != SAVE_UNCOMPRESSED:
                    raise
                raise ItemError(error.message, code=error.code, hint=f"{SAVE_UNCOMPRESSED}: -v6") from None
        else:
            _Matrix(file, count, order, name).check()
        at += 8 + count
    file.seek(0)


def _check_compressed(data: bytes, order: str, size: int, name: str, at: int) -> None:
    """Check a compressed variable, of which no more than a piece is held at a time."""
    bound = InflationBound(ARRAY_BYTES.limit(size), 0)
    with InflatedFile(io.BytesIO(data), "zlib", name, bound=bound) as stream:
        tag = stream.read(8)
        kind, count = struct.unpack(order + "II", tag) if len(tag) == 8 else (0, 0)
        if kind != _MATRIX:
            raise _broken(name, f"byte {at:,} does not start a variable")
        _Matrix(stream, count, order, name).check()
        if stream.seek(0, io.SEEK_END) != count + 8:
            raise _broken(name, f"byte {at:,} does not start a variable")


class _Matrix:
    """Elements of one variable, read one after the other from a file or from inflated data."""

    def __init__(self, file: BinaryIO | InflatedFile, count: int, order: str, name: str) -> None:
        self._file, self._left, self._order, self._name = file, count, order, name

    def check(self) -> None:
        """Check the variable; if it is no matrix of numbers, it is never read."""
        name, order = self._name, self._order
        kind, flags = self._element()
        if kind != 6 or len(flags) != 8:
            raise _broken(name, "a variable has no type")
        flag = struct.unpack(order + "I", flags[:4])[0]
        kind, dims = self._element()
        if kind not in _SHAPES or len(dims) % 4 or not 2 <= len(dims) // 4 <= 32:
            raise _broken(name, "a variable has no shape")
        shape = struct.unpack(f"{order}{len(dims) // 4}i", dims)
        kind, key = self._element()
        if kind not in _NAMES or min(shape) < 0:
            raise _broken(name, "a variable has no name, or an impossible shape")
        if flag & 0xFF not in _WIDTHS:
            return
        parts = ("values", "imaginary parts")[: 2 if flag & _COMPLEX else 1]
        held = math.prod(shape) * _WIDTHS[flag & 0xFF] * len(parts)
        for part in parts:
            kind, count = self._tag()
            if kind not in _SIZES or count != math.prod(shape) * _SIZES[kind]:
                raise _broken(name, f"a variable of shape {shape} has {count:,} bytes of {part}")
            check_memory(name, key.decode("latin-1"), held)
            self._skip(count)

    def _tag(self) -> tuple[int, int]:
        """Return the type and the size of the next element in bytes; `_small` has its bytes if they are in the tag."""
        kind, count = struct.unpack(self._order + "II", self._read(8))
        small, self._small = kind >> 16, b""
        if not small:
            return kind, count
        if small > 4:
            raise self._cut_off()
        self._small = struct.pack(self._order + "I", count)[:small]
        return kind & 0xFFFF, small

    def _element(self) -> tuple[int, bytes]:
        """Return the type and the bytes of the next element, which describes the variable."""
        kind, count = self._tag()
        if count > _LARGEST_LABEL:
            raise self._cut_off()
        if self._small:
            return kind, self._small
        data = self._read(count)
        self._pass_padding(count)
        return kind, data

    def _skip(self, count: int) -> None:
        """Pass over the values of an element, which must be there."""
        if self._small:
            return
        if count > self._left:
            raise self._cut_off()
        start = self._file.tell()
        if self._file.seek(start + count) != start + count:
            raise self._cut_off()
        self._left -= count
        self._pass_padding(count)

    def _pass_padding(self, count: int) -> None:
        """Pass over the bytes up to a multiple of 8, which the last element may lack."""
        self._read(min(-count % 8, self._left))

    def _read(self, count: int) -> bytes:
        data = self._file.read(count) if count <= self._left else b""
        if len(data) != count:
            raise self._cut_off()
        self._left -= count
        return data

    def _cut_off(self) -> ItemError:
        return _broken(self._name, "a variable is cut off")


def _broken(name: str, what: str) -> ItemError:
    return ItemError(f"{quoted(name)} is damaged: {what}", code="broken-file", hint=WRITE_AGAIN)
