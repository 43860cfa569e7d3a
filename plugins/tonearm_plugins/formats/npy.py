"""NumPy's ``.npy`` files, whose headers are checked before anything is allocated; pickles are refused.

`numpy.load` trusts the header: it allocates what the header claims, unpickles objects if it is allowed to, and raises
IndexError, OverflowError, TypeError, TokenError, EOFError, SyntaxError or MemoryError for files that are merely broken.
Here the header is parsed by itself (`npy_header`), its claim must match the size of the file exactly, and every fault
is an `ItemError`. Only an `OSError` of the disk passes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Literal

from tonearm.api import MAP_FROM, WRITE_AGAIN, ItemError, check_holes, check_memory, map_array, quoted
from tonearm_plugins.formats.npy_header import NpyHeader, parse_header, read_header, trailing_error, truncated_error

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_BYTES_AT_A_TIME = 8 << 20
_USUAL = 128  # bytes of NumPy's own headers, for arrays of few dimensions

_checked: dict[bytes, NpyHeader] = {}
"""Checked headers of that size by their bytes: arrays of one shape have the same."""


def load(file: BinaryIO, size: int, *, name: str, map_from: int = MAP_FROM, start: int = 0) -> Array:
    """Read one array from a regular file, or map it if it is large.

    Parameters
    ----------
    file
        Open regular file, binary. It may be closed afterwards, even under a mapped array.
    size
        Size of the array with its header, in bytes: the file's size if the array is alone in it.
    name
        Name of the file, for messages.
    map_from
        Size in bytes from which on an array is returned as a read-only `numpy.memmap`. It is mapped through the open
        file, so another file under the same name does not matter. If the file cannot be mapped, it is read.
    start
        Position of the array in the file, in bytes.

    Returns
    -------
    ndarray
        Array with the shape, dtype and order (C or Fortran) in which it was saved. The dtype is float16/32/64,
        complex64/128, or an integer of 8 to 64 bits, in either byte order.

    Raises
    ------
    ItemError
        As for `read_header`, ``too-large`` and ``npy-memory``.
    OSError
        The disk failed.
    """
    file.seek(start)
    header = read_header(file, size, name=name)
    if header.nbytes >= map_from:
        check_holes(file, name, "", header.nbytes)
        mapped = _mapped(file, header, name, start)
        if mapped is not None:
            return mapped
        file.seek(start + header.offset)
    return _values(file, header, name)


def load_bytes(content: bytes, *, name: str) -> Array:
    """Return the array of a file in memory: a view of its bytes, or a copy if the values are not aligned.

    Parameters
    ----------
    content
        All bytes of the file.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        As for `read_header`.
    """
    import numpy as np

    size = len(content)
    header = _known(content[:_USUAL], size)
    if header is None:
        header = read_header(io.BytesIO(content), size, name=name)
        _remember(content[:_USUAL], header)
    count = header.nbytes // header.itemsize
    flat = np.frombuffer(content, header.dtype_descr, count, header.offset)
    array = flat.reshape(header.shape, order="F" if header.fortran_order else "C")
    return array if array.flags.aligned else array.copy()


def _known(start: bytes, size: int) -> NpyHeader | None:
    """Return the checked header that starts a file, if the file has the size that it claims."""
    header = _checked.get(start)
    return header if header is not None and header.offset + header.nbytes == size else None


def _remember(start: bytes, header: NpyHeader) -> None:
    """Keep a checked header, if it has the usual size."""
    if header.offset == _USUAL:
        if len(_checked) >= 64:
            _checked.clear()
        _checked[start] = header


def load_stream(stream: BinaryIO, *, name: str, limit: int, scalars: bool = False) -> Array:
    """Read one array from a stream that cannot seek or has no known size, such as a compressed member.

    Parameters
    ----------
    stream
        Binary stream at the start of the array. It must end with the array.
    name
        Name of the file, for messages.
    limit
        Largest number of bytes that may be read, header and values together. A header that claims more is refused.
    scalars
        Whether a single number is allowed: archives keep some beside their arrays.

    Returns
    -------
    ndarray
        Array as `load` returns it, in memory.

    Raises
    ------
    ItemError
        As for `load`, and ``npy-too-large``. Errors of the stream itself pass.
    """
    header = parse_header(stream, name, scalars=scalars)
    if header.offset + header.nbytes > limit:
        raise ItemError(
            f"{quoted(name)} claims {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr}), "
            f"but at most {max(limit - header.offset, 0):,} can follow",
            code="npy-too-large",
            hint=WRITE_AGAIN,
        )
    array = _values(stream, header, name)
    if stream.read(1):
        raise trailing_error(name, header, "more bytes")
    return array


def _values(stream: BinaryIO, header: NpyHeader, name: str) -> Array:
    """Read exactly the values of a checked header."""
    import numpy as np

    check_memory(name, "", header.nbytes)
    try:
        raw = np.empty(header.nbytes, np.uint8)
    except MemoryError:
        raise ItemError(
            f"{quoted(name)} needs {header.nbytes:,} bytes of memory, more than is available",
            code="npy-memory",
            hint="save it uncompressed as .npy, which is mapped instead of read, or split it",
        ) from None
    got = _fill(stream, raw.data)
    if got < header.nbytes:
        raise truncated_error(name, header, got)
    return raw.view(header.dtype_descr).reshape(header.shape, order="F" if header.fortran_order else "C")


def _mapped(file: BinaryIO, header: NpyHeader, name: str, start: int) -> Array | None:
    """Map the values of a checked header; None if this file cannot be mapped."""
    order: Literal["C", "F"] = "F" if header.fortran_order else "C"
    try:
        return map_array(file, header.dtype_descr, header.shape, start + header.offset, order)
    except ValueError:
        raise ItemError(
            f"{quoted(name)} became shorter while it was being read",
            code="npy-truncated",
            hint="wait until the program that writes it has finished",
        ) from None


def _fill(stream: BinaryIO, view: memoryview) -> int:
    """Fill a buffer from a stream, and return the number of bytes before its end."""
    readinto = getattr(stream, "readinto", None)
    done = 0
    while done < len(view):
        part = view[done : done + _BYTES_AT_A_TIME]
        if readinto is not None:
            count = readinto(part) or 0
        else:
            data = stream.read(len(part))
            count = len(data)
            part[:count] = data
        if not count:
            break
        done += count
    return done
