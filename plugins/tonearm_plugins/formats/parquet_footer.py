"""Footer of a Parquet file: the sizes that its columns claim, read without pyarrow.

pyarrow could read them too, but its accessors end the process on a broken footer, by an uncaught C++ exception. The
footer is a struct of Thrift's compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tonearm_plugins.formats.thrift import CompactReader

MAX_FOOTER = 16 << 20
"""Size of a footer in bytes."""

_MAGIC = b"PAR1"

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
    path
        Names that lead to the column, from the outermost to its values, joined by periods.
    group
        Number of the row group.
    kind
        Number of the physical type.
    codec
        Number of the compression.
    values
        Number of values, nulls and empty lists, as the footer claims it.
    rows
        Number of rows of the row group, as the footer claims it.
    start
        Position of its first page in the file.
    """

    column: str
    inflated: int
    stored: int
    path: str
    group: int
    kind: int
    codec: int
    values: int
    rows: int
    start: int

    @property
    def width(self) -> int:
        """Bytes of one value in memory; 1 for values of different sizes."""
        return _WIDTHS.get(self.kind, 1)


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
    file.seek(-min(size, 8), os.SEEK_END)
    tail = file.read(8)
    count = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < count <= min(size - 12, MAX_FOOTER):
        raise ValueError("its footer is cut off")
    file.seek(size - 8 - count)
    footer = CompactReader(file.read(count)).struct()
    return list(_chunks(footer))


def _chunks(footer: dict[int, Any]) -> Iterator[ColumnChunk]:
    """Yield the columns of a footer: fields by number, as Parquet's FileMetaData has them."""
    for number, group in enumerate(_structs(footer.get(4))):
        for column in _structs(group.get(1)):
            found = column.get(3)
            if not isinstance(found, dict):
                raise ValueError("a column has no metadata")
            kind, codec, values, inflated, stored, start = (_number(found.get(field)) for field in (1, 4, 5, 6, 7, 9))
            path = found.get(3)
            if not (isinstance(path, list) and path and all(isinstance(name, bytes) for name in path)):
                raise ValueError("a column has no name")
            names = [name.decode(errors="replace") for name in path]
            if min(values, stored) < 0:
                raise ValueError("a column has a negative size")
            before = found.get(11)  # the dictionary page, where pyarrow believes it
            yield ColumnChunk(
                names[0],
                max(inflated, values * _WIDTHS.get(kind, 1)),
                stored,
                path=".".join(names),
                group=number,
                kind=kind,
                codec=codec,
                values=values,
                rows=_number(group.get(3)),
                start=before if isinstance(before, int) and 0 < before < start else start,
            )


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("a column has no sizes")
    return value


def _structs(value: Any) -> list[dict[int, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("it has no list of row groups")
    return value
