"""Thrift's compact protocol, in which the footers and page headers of Parquet files are written."""

from __future__ import annotations

from typing import Any

from tonearm.api import MAX_NESTING

MAX_VALUES = 2_000_000
"""Number of values in one struct, with those in its lists and structs: a value of one byte takes sixty in memory."""

# Types of the compact protocol.
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)


class CompactReader:
    """Reader of Thrift's compact protocol; raises ValueError for broken data.

    Parameters
    ----------
    data
        Bytes that begin with a struct.

    Attributes
    ----------
    at
        Position after the last value that was read.

    Examples
    --------
    >>> CompactReader(bytes([0x15, 0x08, 0x00])).struct()
    {1: 4}
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MAX_VALUES

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the struct at the position: its fields by number.

        Parameters
        ----------
        depth
            Number of structs and lists around it.
        """
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
        self.left -= 1
        if self.left < 0:
            raise ValueError("it has too many values")
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
