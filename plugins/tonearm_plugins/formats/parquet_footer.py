"""Footer of a Parquet file: the sizes that its columns claim, read without pyarrow.

pyarrow could read them too, but its accessors end the process on a broken footer, by an uncaught C++ exception. The
footer is a struct of Thrift's compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tonearm.api import MAX_NESTING

MAX_FOOTER = 256 << 20
"""Size of a footer in bytes."""

_MAGIC = b"PAR1"

# Types of the compact protocol.
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)

# Bytes of a value by the number of its type; values of BOOLEAN, BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY vary in size.
_WIDTHS = {1: 4, 2: 8, 3: 12, 4: 4, 5: 8}


@dataclass(frozen=True)
class ColumnChunk:
    """One column of one row group.

    Parameters
    ----------
    column
        Name of the column.
    inflated
        Smallest size of its values in memory, in bytes, as the footer claims it.
    stored
        Size of its values in the file, in bytes, as the footer claims it.
    """

    column: str
    inflated: int
    stored: int


def column_chunks(file: BinaryIO) -> list[ColumnChunk]:
    """Return the columns of a file, row group by row group.

    Parameters
    ----------
    file
        Open file, binary, at any position.

    Raises
    ------
    ValueError
        The footer is broken.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    count = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < count <= min(size - 12, MAX_FOOTER):
        raise ValueError("its footer is cut off")
    file.seek(size - 8 - count)
    footer = _CompactReader(file.read(count)).struct()
    return list(_chunks(footer))


def _chunks(footer: dict[int, Any]) -> Iterator[ColumnChunk]:
    """Yield the columns of a footer: fields by number, as Parquet's FileMetaData has them."""
    for group in _structs(footer.get(4)):
        for column in _structs(group.get(1)):
            found = column.get(3)
            if not isinstance(found, dict):
                raise ValueError("a column has no metadata")
            kind, values, inflated, stored = (_number(found.get(field)) for field in (1, 5, 6, 7))
            path = found.get(3)
            if not (isinstance(path, list) and path):
                raise ValueError("a column has no name")
            name = path[0].decode(errors="replace") if isinstance(path[0], bytes) else ""
            yield ColumnChunk(name, max(inflated, values * _WIDTHS.get(kind, 1)), stored)


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("a column has no sizes")
    return value


def _structs(value: Any) -> list[dict[int, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("it has no list of row groups")
    return value


class _CompactReader:
    """Reader of Thrift's compact protocol; raises ValueError for broken data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > MAX_NESTING:
            raise ValueError("it is nested too deeply")
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            kind = head & 15
            field = field + (head >> 4) if head >> 4 else self._zigzag()
            found[field] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            head = self._byte()
            return self._many(head >> 4 if head >> 4 < 15 else self._varint(), (head & 15,), depth)
        if kind == _MAP:
            count = self._varint()
            kinds = self._byte() if count else 0
            return self._many(count, (kinds >> 4, kinds & 15), depth)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        raise ValueError(f"type {kind} does not exist")

    def _many(self, count: int, kinds: tuple[int, ...], depth: int) -> list[Any]:
        if count > len(self.data) - self.at:  # each takes at least a byte
            raise ValueError("it claims more than it holds")
        if depth > MAX_NESTING:
            raise ValueError("it is nested too deeply")
        return [self._value(kind, depth + 1) for _ in range(count) for kind in kinds]

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise ValueError("it is cut off")
        self.at += 1
        return self.data[self.at - 1]

    def _take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError("it claims more than it holds")
        self.at += count
        return self.data[self.at - count : self.at]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise ValueError("a number is too long")

    def _zigzag(self) -> int:
        found = self._varint()
        return (found >> 1) ^ -(found & 1)
