"""NumPy's ``.npy``, judged from its header before anything is allocated, and never unpickled.

`numpy.load` trusts the header: it allocates what the header claims, unpickles what it is allowed to, and lets
IndexError, OverflowError, TypeError, TokenError, EOFError, SyntaxError and MemoryError out on files that are merely
broken. Here a header is judged by itself (`npy_header`), its claim has to be exactly the bytes that are there, and
whatever is wrong is an `ItemError`. Only an `OSError` of the disk passes.
"""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import ItemError
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.npy_header import AGAIN, NpyHeader, cut_off, header_of, read_header, trailing

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MAP_FROM = 16 << 20  # bytes
_CHUNK = 8 << 20


def load(file: BinaryIO, size: int, *, name: str, map_from: int = MAP_FROM, start: int = 0) -> Array:
    """Read one array from a regular file, or map it if it is large.

    Parameters
    ----------
    file
        An open regular file, binary. It may be closed afterwards, also under a mapped array.
    size
        Bytes of the array with its header: the file's size, as `os.fstat` tells it.
    name
        What to call it in messages.
    map_from
        Arrays of at least so many bytes come as a read-only `numpy.memmap`, made through this same open file, so that a
        file put under the same name meanwhile does not matter. Where the file cannot be mapped they are read.
    start
        Where the array starts in the file, in bytes.

    Returns
    -------
    ndarray
        As it was saved: its shape, its dtype (float16/32/64, complex64/128, or any integer of 8 to 64 bits; also
        big-endian) and its order (C or Fortran) are kept.

    Raises
    ------
    ItemError
        As for `read_header`, and ``npy-memory``.
    OSError
        The disk failed.
    """
    file.seek(start)
    header = read_header(file, size, name=name)
    if header.nbytes >= map_from:
        mapped = _mapped(file, header, name, start)
        if mapped is not None:
            return mapped
        file.seek(start + header.offset)
    return _values(file, header, name)


def from_memory(content: bytes, *, name: str) -> Array:
    """Return the array of a file that is in memory as a whole: a view of that, unless its values are not aligned.

    Parameters
    ----------
    content
        The file.
    name
        What to call it in messages.

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


_USUAL = 128  # bytes of NumPy's own headers, for arrays of few dimensions
_headers: dict[bytes, NpyHeader] = {}
"""Headers of that length that were found good: arrays of one shape have the same."""


def _known(start: bytes, size: int) -> NpyHeader | None:
    """Return what is known of a header, if the file is as long as it says."""
    header = _headers.get(start)
    return header if header is not None and header.offset + header.nbytes == size else None


def _remember(start: bytes, header: NpyHeader) -> None:
    if header.offset == _USUAL:
        if len(_headers) >= 64:
            _headers.clear()
        _headers[start] = header


def read_stream(stream: BinaryIO, *, name: str, limit: int, scalars: bool = False) -> Array:
    """Read one array from a stream that cannot seek or whose extent is not known, such as a compressed member.

    Parameters
    ----------
    stream
        A binary stream at the start of the array; it has to end where the array does.
    name
        What to call it in messages.
    limit
        The most bytes, header and values together, that may be read; a header that claims more is refused.
    scalars
        Whether it may be a single number, as archives keep beside their arrays.

    Returns
    -------
    ndarray
        As for `load`, in memory.

    Raises
    ------
    ItemError
        As for `load`, and ``npy-too-large``. Whatever the stream itself raises passes.
    """
    header = header_of(stream, name, scalars=scalars)
    if header.offset + header.nbytes > limit:
        raise ItemError(
            f"{shown(name)} claims {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr}), "
            f"more than the {max(limit - header.offset, 0):,} that can be there",
            code="npy-too-large",
            hint=AGAIN,
        )
    array = _values(stream, header, name)
    if stream.read(1):
        raise trailing(name, header, "more bytes")
    return array


def _values(stream: BinaryIO, header: NpyHeader, name: str) -> Array:
    """Read exactly the values of a checked header."""
    import numpy as np

    try:
        raw = np.empty(header.nbytes, np.uint8)
    except MemoryError:
        raise ItemError(
            f"{shown(name)} needs {header.nbytes:,} bytes of memory, which are not there",
            code="npy-memory",
            hint="save it uncompressed as .npy, which is mapped instead of read, or split it",
        ) from None
    got = _fill(stream, raw.data)
    if got < header.nbytes:
        raise cut_off(name, header, got)
    return raw.view(header.dtype_descr).reshape(header.shape, order="F" if header.fortran_order else "C")


def _mapped(file: BinaryIO, header: NpyHeader, name: str, start: int) -> Array | None:
    """Map the values of a checked header; None if this file cannot be mapped."""
    import numpy as np

    order = "F" if header.fortran_order else "C"
    try:
        return np.memmap(file, header.dtype_descr, "r", start + header.offset, header.shape, order)  # type: ignore[call-overload,no-any-return]
    except io.UnsupportedOperation:  # no file descriptor: it is in memory
        return None
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None  # a file system without mmap
    except ValueError:
        raise ItemError(
            f"{shown(name)} became shorter while it was read",
            code="npy-truncated",
            hint="wait until whatever writes it has finished",
        ) from None


def _fill(stream: BinaryIO, view: memoryview) -> int:
    """Fill a buffer from a stream; return how many bytes came before its end."""
    readinto = getattr(stream, "readinto", None)
    done = 0
    while done < len(view):
        part = view[done : done + _CHUNK]
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
