"""Pages of a Parquet file: their sizes, and the longest row that they hold, read before pyarrow reads any.

pyarrow believes page headers: it allocates the size to which a page claims to inflate, and repeats a value of a
dictionary as often as the page says. The figures of the footer bound neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tonearm_plugins.formats.parquet_footer import ColumnChunk
from tonearm_plugins.formats.thrift import CompactReader

MAX_RUNS = 500_000
"""Number of runs of levels in one column chunk."""

_HEAD = 256  # bytes of a page header, unless it has long statistics
_MAX_HEADER = 1 << 20
_FEWEST_PAGES = 1000
_PACKED = 1 << 14  # groups of eight levels that are unpacked at once
_BYTES_PER_PAGE = 256  # writers fill pages up to 1 MB, or 20,000 rows

_DATA, _INDEX, _DICTIONARY, _DATA_V2 = 0, 1, 2, 3
_RLE = 3
_ONCE = (0, 6)  # encodings of bytes that store each value: plain, and with the lengths of all first
_POINTER = 16  # bytes that pyarrow keeps for each value of bytes in a dictionary
_CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}


@dataclass(frozen=True)
class Page:
    """One page of a column.

    Parameters
    ----------
    values
        Number of its values: of data, or of a dictionary.
    start
        Position of its data in the file.
    stored, inflated
        Size of its data in bytes: in the file, and in memory.
    encoding
        Number of the encoding of its values.
    dictionary
        Whether it is a dictionary, whose values the pages after it repeat.
    levels
        Size in bytes of the repetition levels, if they are not compressed; None if they are.
    plain_levels
        Whether the repetition levels are in the encoding that every writer uses.
    """

    values: int
    start: int
    stored: int
    inflated: int
    encoding: int = 0
    dictionary: bool = False
    levels: int | None = None
    plain_levels: bool = True


@dataclass(frozen=True)
class ChunkSizes:
    """Sizes of the pages of one column chunk.

    Parameters
    ----------
    pages
        Bytes that its dictionary and its largest page take together, as stored and inflated.
    value
        Largest size of one value of bytes: that of a whole page.
    total
        Largest size of all values of bytes. A dictionary repeats its largest value, and so do prefixes.
    """

    pages: int
    value: int
    total: int


def pages(file: BinaryIO, chunk: ColumnChunk) -> Iterator[Page]:
    """Yield the pages of a column chunk, as pyarrow would read them; read their headers alone.

    Parameters
    ----------
    file
        Open file, binary and seekable.
    chunk
        Column chunk.

    Raises
    ------
    ValueError
        A header is broken, or claims more than the chunk or its footer has.
    """
    at, end = chunk.start, chunk.start + chunk.stored
    seen, left = 0, _FEWEST_PAGES + chunk.stored // _BYTES_PER_PAGE
    while seen < chunk.values and at < end:
        left -= 1
        if left < 0:
            raise ValueError("it has too many pages")
        header, length = _header(file, at)
        inflated, stored = _size(header, 2), _size(header, 3)
        at += length
        kind = header.get(1)
        # Old versions of parquet-mr left the header of the dictionary out of the size of a chunk.
        if stored > end - at + _HEAD:
            raise ValueError("a page claims more than its column has")
        if kind in (_DATA, _DATA_V2):
            data = header.get(5 if kind == _DATA else 8)
            if not isinstance(data, dict):
                raise ValueError("a page has no header of its kind")
            values, encoding = _size(data, 1), _size(data, 2 if kind == _DATA else 4)
            seen += values
            levels = _size(data, 6) if kind == _DATA_V2 else None
            plain = kind == _DATA_V2 or data.get(4) == _RLE
            yield Page(values, at, stored, inflated, encoding, levels=levels, plain_levels=plain)
        elif kind == _DICTIONARY:
            data = header.get(7)
            if not isinstance(data, dict):
                raise ValueError("a page has no header of its kind")
            yield Page(_size(data, 1), at, stored, inflated, dictionary=True)
        at += stored
    if seen > chunk.values:
        raise ValueError("its pages have more values than its footer claims")


def chunk_sizes(file: BinaryIO, chunk: ColumnChunk) -> ChunkSizes:
    """Return the sizes of the pages of a column chunk.

    Parameters
    ----------
    file
        Open file, binary and seekable.
    chunk
        Column chunk.

    Raises
    ------
    ValueError
        As for `pages`.
    """
    dictionary = repeated = largest = value = total = 0
    for page in pages(file, chunk):
        held = page.inflated + (page.stored if chunk.codec else 0)
        if page.dictionary:
            dictionary += page.inflated + (_POINTER * page.values if chunk.width == 1 else 0)
            repeated = max(repeated, page.inflated)
        elif page.encoding in _ONCE:
            total += page.inflated
        else:
            total += page.values * max(page.inflated, repeated)
        largest, value = max(largest, held), max(value, page.inflated)
    return ChunkSizes(dictionary + largest, value, total)


def longest_row(file: BinaryIO, chunk: ColumnChunk, depth: int) -> int:
    """Return the number of values of the longest row of a column chunk of lists.

    Parameters
    ----------
    file
        Open file, binary and seekable.
    chunk
        Column chunk, whose pages fit into memory.
    depth
        Levels of lists, which is the largest repetition level.

    Returns
    -------
    int
        Number of values; that of the whole chunk where its levels cannot be read here.

    Raises
    ------
    ValueError
        As for `pages`, or the levels are broken.
    """
    if not depth:
        return 1
    bits = depth.bit_length()
    longest = values = runs = 0
    for page in pages(file, chunk):
        if page.dictionary:
            continue
        data = _levels(file, chunk, page)
        if data is None or bits > 8:
            return chunk.values
        for count, starts in _runs(data, page.values, bits):
            runs += 1
            if runs > MAX_RUNS:
                return chunk.values
            if len(starts):
                inside = int((starts[1:] - starts[:-1]).max()) if len(starts) > 1 else 0
                longest = max(longest, values + int(starts[0]), inside)
                values = count - int(starts[-1])
            else:
                values += count
    return max(longest, values)


def _levels(file: BinaryIO, chunk: ColumnChunk, page: Page) -> bytes | None:
    """Return the repetition levels of a page; None if they are in an encoding that only pyarrow knows."""
    file.seek(page.start)
    if page.levels is not None:
        return file.read(min(page.levels, page.stored))
    if not page.plain_levels or chunk.codec not in (0, *_CODECS):
        return None
    data = file.read(page.stored)
    if chunk.codec:
        import pyarrow as pa

        data = pa.decompress(data, page.inflated, codec=_CODECS[chunk.codec], asbytes=True)
    return data[4 : 4 + int.from_bytes(data[:4], "little")]


def _runs(data: bytes, values: int, bits: int) -> Iterator[tuple[int, Any]]:
    """Yield the runs of levels: the number of each, and the places at which a row starts, where the level is 0."""
    import numpy as np

    at = 0
    while values > 0:
        head = shift = 0
        while True:
            if at >= len(data):
                raise ValueError("the levels of a page are cut off")
            byte = data[at]
            at += 1
            head |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 35:
                break
        if head & 1:
            end = min(at + (head >> 1) * bits, len(data))
            while at < end and values > 0:
                packed = np.frombuffer(data, np.uint8, min(_PACKED * bits, end - at), at)
                at += len(packed)
                levels = np.unpackbits(packed, bitorder="little")
                levels = levels[: len(levels) // bits * bits].reshape(-1, bits)[:values]
                values -= len(levels)
                yield len(levels), np.flatnonzero(~levels.any(axis=1))
        else:
            count = min(head >> 1, values)
            values -= count
            if data[at : at + 1] != b"\0":
                yield count, np.empty(0, int)
            elif count:  # rows of one value each
                yield 1, np.zeros(1, int)
                yield 1, np.zeros(1, int)
            at += 1


def _header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    """Return the page header at a position, and its size in bytes."""
    count = _HEAD
    while True:
        file.seek(at)
        data = file.read(count)
        reader = CompactReader(data)
        try:
            return reader.struct(), reader.at
        except ValueError:
            if len(data) < count or count >= _MAX_HEADER:
                raise
        count *= 16


def _size(header: dict[int, Any], field: int) -> int:
    """Return a field that is a number of bytes or values."""
    found = header.get(field)
    if not isinstance(found, int) or found < 0:
        raise ValueError("a page has no sizes")
    return found


def chunks_of(chunks: Iterable[ColumnChunk], column: str) -> list[ColumnChunk]:
    """Return the chunks that pyarrow reads for a name: those of the column, and of the columns within it."""
    return [chunk for chunk in chunks if chunk.path == column or chunk.path.startswith(f"{column}.")]
