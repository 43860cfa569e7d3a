"""Compressed chunks of HDF5 datasets, inflated within bounds: the library inflates whatever a chunk holds."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from tonearm.api import (
    FREE_SECONDS,
    SAVE_UNCOMPRESSED,
    STORED_PER_SECOND,
    WRITE_AGAIN,
    ItemError,
    check_memory,
    check_stored_size,
    inflate,
    quoted_array,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

DEFLATE, SHUFFLE, FLETCHER32, SZIP, NBIT, SCALE_OFFSET, LZF = 1, 2, 3, 4, 5, 6, 32000
"""Numbers of the filters that the library has, or h5py brings."""

_CHECKSUM = 4  # bytes of Fletcher's checksum
_CHECKSUM_PIECE = 1 << 20  # bytes whose checksum is computed at a time
_READ_HERE = ([DEFLATE], [SHUFFLE, DEFLATE], [DEFLATE, FLETCHER32], [SHUFFLE, DEFLATE, FLETCHER32])


def read_chunks(dataset: Any, name: str, key: str) -> Array | None:
    """Read a dataset whose chunks are deflated, in one pass; check the chunks of any other filter.

    Parameters
    ----------
    dataset
        Dataset with chunks whose claimed sizes were checked.
    name
        Name of the file, for messages.
    key
        Name of the dataset.

    Returns
    -------
    ndarray or None
        Values; None if h5py can read them, which allocates no more than a chunk has bytes.

    Raises
    ------
    ItemError
        ``broken-file`` or ``too-large``.
    """
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(at)[:3:2] for at in range(properties.get_nfilters())]
    if not filters:
        return None
    import h5py

    kind = dataset.id.get_type()
    size = math.prod(dataset.chunks) * kind.get_size()
    chunks: list[Any] = []
    dataset.id.chunk_iter(chunks.append)
    largest = max((chunk.size for chunk in chunks), default=0)
    check_stored_size(name, key, size, largest)
    whole = dataset.size * dataset.dtype.itemsize
    check_memory(name, key, max(whole, (whole + 2 * size + largest) // 2))
    _check_claims(filters, dataset, name, key)
    numbers = [number for number, _ in filters]
    plain = h5py.h5t.py_create(dataset.dtype, logical=True).equal(kind)  # NumPy has no integers of 16 bits in 4 bytes
    if plain and numbers in _READ_HERE:
        return _deflated(dataset, chunks, numbers, name, key)
    until = _until(chunks)
    for chunk in chunks if numbers[-1] == SZIP or DEFLATE in numbers or LZF in numbers else ():
        mask, data = dataset.id.read_direct_chunk(chunk.chunk_offset)
        _check_chunk(numbers, mask, data, size, name, key)
        _check_time(until, name, key)
    return None


def _check_claims(filters: list[tuple[int, Any]], dataset: Any, name: str, key: str) -> None:
    """Refuse filters that inflate what was inflated, and those whose own figures are not those of the chunks."""
    numbers = [number for number, _ in filters]
    inflating = [number for number in numbers if number not in (SHUFFLE, FLETCHER32, NBIT, SCALE_OFFSET)]
    if len(inflating) > 1 or len(set(numbers)) < len(numbers):
        raise ItemError(
            f"{quoted_array(name, key)} is compressed more than once", code="too-large", hint=SAVE_UNCOMPRESSED
        )
    count, width = math.prod(dataset.chunks), dataset.id.get_type().get_size()
    for number, given in filters:
        claims = given[2:3] if number in (NBIT, SCALE_OFFSET, LZF) else ()
        most = count * width if number == LZF else count
        wide = number == SCALE_OFFSET and len(given) > 4 and given[4] > width
        if any(claim > most for claim in claims) or wide:
            raise _broken(name, key, "has a filter that claims more values than its chunks have")


def _check_chunk(numbers: list[int], mask: int, data: bytes, size: int, name: str, key: str) -> None:
    """Refuse a chunk that inflates to more than its values; h5py inflates it again."""
    for at in reversed(range(len(numbers))):
        if mask >> at & 1:  # the filter was left out for this chunk
            continue
        if numbers[at] == FLETCHER32:
            data = data[:-_CHECKSUM]
        elif numbers[at] == DEFLATE:
            inflate(data, "zlib", size + size // 8 + 4096, name, key)
            return
        elif numbers[at] == LZF:
            # h5py tries again with a buffer that is longer by a chunk, for as long as the values do not fit.
            if _lzf_size(data, size) != size:
                raise _broken(name, key, f"has a chunk that does not inflate to its {size:,} bytes")
            return
        elif numbers[at] == SZIP and int.from_bytes(data[:4], "little") > size:
            raise _broken(name, key, f"has a chunk that claims more than its {size:,} bytes")
        else:
            return


def _lzf_size(data: bytes, most: int) -> int:
    """Return the size to which LZF inflates data, or any that is larger than the most that is asked for."""
    at = size = 0
    try:
        while at < len(data) and size <= most:
            control = data[at]
            if control < 32:  # so many bytes as they are, and one
                at += 2 + control
                size += 1 + control
            elif control < 224:  # a copy of earlier bytes, whose length is in three bits
                at += 2
                size += 2 + (control >> 5)
            else:  # or in a byte of its own
                size += 9 + data[at + 1]
                at += 3
    except IndexError:
        return most + 1
    return size if at == len(data) else most + 1


def _deflated(dataset: Any, chunks: list[Any], numbers: list[int], name: str, key: str) -> Array:
    """Return the values of a dataset whose chunks are shuffled or not, and deflated."""
    import numpy as np

    shape, dtype = dataset.chunks, dataset.dtype
    size = math.prod(shape) * dtype.itemsize
    fill = dataset.fillvalue
    values = (
        np.zeros(dataset.shape, dtype) if not any(np.asarray(fill).tobytes()) else np.full(dataset.shape, fill, dtype)
    )
    until = _until(chunks)
    for chunk in chunks:
        _check_time(until, name, key)
        mask, data = dataset.id.read_direct_chunk(chunk.chunk_offset)
        if FLETCHER32 in numbers and not mask >> numbers.index(FLETCHER32) & 1:
            data, check = data[:-_CHECKSUM], data[-_CHECKSUM:]
            if not _is_checksum(check, data):
                raise _broken(name, key, "has a chunk whose checksum is wrong")
        if not mask >> numbers.index(DEFLATE) & 1:
            data = inflate(data, "zlib", size, name, key)
        if len(data) != size:
            raise _broken(name, key, f"has a chunk of {len(data):,} bytes instead of {size:,}")
        shuffled = numbers[0] == SHUFFLE and not mask & 1
        target = values[tuple(slice(at, at + extent) for at, extent in zip(chunk.chunk_offset, shape, strict=True))]
        if shuffled:
            parts = np.frombuffer(data, "B").reshape(dtype.itemsize, -1)
            if target.ndim == 1 and target.nbytes == size:
                by_byte = target.view("B").reshape(-1, dtype.itemsize)
                for at, part in enumerate(parts):  # one assignment of the transposed takes up to three times as long
                    by_byte[:, at] = part
                continue
            data = parts.T.tobytes()
        inner = tuple(slice(extent) for extent in target.shape)
        target[...] = np.frombuffer(data, dtype).reshape(shape)[inner]
    return values


def _is_checksum(check: bytes, data: bytes) -> bool:
    """Whether Fletcher's checksum of the data is the one given; old versions wrote each half with its bytes swapped."""
    import numpy as np

    first = second = 0
    for at in range(0, len(data), _CHECKSUM_PIECE):
        piece = data[at : at + _CHECKSUM_PIECE]
        words = np.frombuffer(piece + bytes(len(piece) % 2), ">u2").astype("i8")
        second += len(words) * first + int(words @ np.arange(len(words), 0, -1))
        first += int(words.sum())
    found = (first % 0xFFFF, second % 0xFFFF)
    return any(tuple(int(half) % 0xFFFF for half in np.frombuffer(check, kind)) == found for kind in ("<u2", ">u2"))


def _until(chunks: list[Any]) -> float:
    """Return the processor time at which the chunks must be inflated."""
    return time.thread_time() + FREE_SECONDS + sum(int(chunk.size) for chunk in chunks) / STORED_PER_SECOND


def _check_time(until: float, name: str, key: str) -> None:
    if time.thread_time() > until:
        raise ItemError(
            f"{quoted_array(name, key)} takes too long to inflate", code="too-large", hint=SAVE_UNCOMPRESSED
        )


def _broken(name: str, key: str, what: str) -> ItemError:
    return ItemError(f"{quoted_array(name, key)} {what}", code="broken-file", hint=WRITE_AGAIN)
