"""Open files whose claims are checked: their sizes, their first bytes, and memory maps of their arrays."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.errors import ItemError
from tonearm.reading import file_types
from tonearm.reading.bounds import ARRAY_BYTES, check_claimed_size
from tonearm.reading.file_windows import FileWindow
from tonearm.reading.memory import check_memory
from tonearm.reading.messages import WRITE_AGAIN, quoted
from tonearm.system import HAS_POSIX

if TYPE_CHECKING:
    from tonearm.typing import Array

SHORT_HEAD = 64
"""Number of bytes by which a reader may ask for more than a file has left."""

MAP_FROM = 16 << 20
"""Size in bytes from which on arrays are mapped instead of read."""


def size_of(file: BinaryIO) -> int:
    """Return the size of a file in bytes, and go to its start.

    Parameters
    ----------
    file
        Open file, binary and seekable.

    Returns
    -------
    int
        Size in bytes.

    Examples
    --------
    >>> import io
    >>> size_of(io.BytesIO(bytes(12)))
    12
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def check_holes(file: BinaryIO, name: str, key: str, claimed: int) -> None:
    """Raise `ItemError` if an array is large, and almost all of its file is holes, which take no space on the disk.

    Parameters
    ----------
    file
        Open file, or a window on one, binary and seekable. Its position does not change.
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    claimed
        Size of the array in bytes.

    Raises
    ------
    ItemError
        ``too-large`` beyond `ARRAY_BYTES`.

    Examples
    --------
    >>> import io
    >>> check_holes(io.BytesIO(bytes(8)), "a.npy", "", 8)
    """
    if claimed <= ARRAY_BYTES.free:
        return
    while isinstance(file, FileWindow):
        file = file.file
    try:
        descriptor = file.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return
    at = file.tell()
    try:
        check_claimed_size(name, key, claimed, _stored_size(descriptor, ARRAY_BYTES.ratio))
    finally:
        file.seek(at)


def _stored_size(descriptor: int, ratio: int) -> int:
    """Return the bytes of a file that are no holes, or the size of the file if they are a part of it that is enough."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if sys.platform == "win32" or not hasattr(os, "SEEK_DATA"):
        return size
    stored = at = 0
    while stored * ratio < size:
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
            at = os.lseek(descriptor, start, os.SEEK_HOLE)
        except OSError as error:
            return stored if error.errno == errno.ENXIO else size  # nothing but a hole follows, or holes are not known
        stored += at - start
    return size


def path_of(file: BinaryIO) -> str | None:
    """Return a path that leads to an open file even if its name is gone, for libraries that open files themselves.

    Parameters
    ----------
    file
        Open file.

    Returns
    -------
    str or None
        Path below ``/dev/fd``; None if the file is in memory.

    Examples
    --------
    >>> import io
    >>> path_of(io.BytesIO()) is None
    True
    """
    if not HAS_POSIX:
        return None
    try:
        path = f"/dev/fd/{file.fileno()}"
    except (io.UnsupportedOperation, AttributeError):
        return None
    return path if os.path.exists(path) else None  # noqa: PTH110 - as cheap as it gets


def map_array(
    file: BinaryIO, dtype: Any, shape: tuple[int, ...], offset: int = 0, order: Literal["C", "F"] = "C"
) -> Array | None:
    """Map values of a file into memory, through the open file itself.

    Parameters
    ----------
    file
        Open file, or a window on one, binary. It may be closed afterwards.
    dtype, shape, order
        Type, dimensions and memory order of the values.
    offset
        Position of the first value in the file, in bytes.

    Returns
    -------
    ndarray or None
        Read-only `numpy.memmap`; None if the file is in memory, in several pieces, or on a file system that cannot map.

    Raises
    ------
    ValueError
        The file ends before the last value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     count = file.write(bytes(12))
    ...     map_array(file, "<i2", (2, 2), offset=4).shape
    (2, 2)
    """
    import math

    import numpy as np

    if isinstance(file, FileWindow):
        start = file.start
        if start is None:
            return None
        if offset + math.prod(shape) * np.dtype(dtype).itemsize > file.size:
            raise ValueError("the window ends before the last value")
        file, offset = file.file, start + offset
    try:
        return np.memmap(file, dtype, "r", offset, shape, order)
    except (io.UnsupportedOperation, AttributeError):  # no file descriptor
        return None
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None


def read_values(
    file: BinaryIO,
    name: str,
    dtype: Any,
    shape: tuple[int, ...],
    offset: int = 0,
    *,
    order: Literal["C", "F"] = "C",
    map_from: int = MAP_FROM,
) -> Array:
    """Read the values of an array out of a file, or map them if they are many.

    Parameters
    ----------
    file
        Open file, binary and seekable. It may be closed afterwards.
    name
        Name of the file, for messages.
    dtype, shape, order
        Type, dimensions and memory order of the values.
    offset
        Position of the first value in the file, in bytes.
    map_from
        Size in bytes from which on values are mapped, if the file can be mapped.

    Returns
    -------
    ndarray
        Read-only array.

    Raises
    ------
    ItemError
        ``broken-file`` if the file ends before the last value; ``too-large`` if values that cannot be mapped take more
        than the memory of one source, or the file is holes. Nothing is allocated then.

    Examples
    --------
    >>> import io
    >>> read_values(io.BytesIO(b"HEAD" + bytes(16)), "a.bin", "<f4", (2, 2), 4).shape
    (2, 2)
    """
    import math

    import numpy as np

    count = math.prod(shape) * np.dtype(dtype).itemsize
    left = file.seek(0, os.SEEK_END) - offset
    if count > left:
        raise ItemError(
            f"{quoted(name)} claims {count:,} bytes of values, but only {max(left, 0):,} follow",
            code="broken-file",
            hint=WRITE_AGAIN,
        )
    if count >= max(map_from, 1):
        check_holes(file, name, "", count)
        mapped = map_array(file, dtype, shape, offset, order)
        if mapped is not None:
            return mapped
    check_memory(name, "", count)
    file.seek(offset)
    return np.frombuffer(file.read(count), dtype).reshape(shape, order=order)


class BoundedFile:
    """Open file that refuses to read more bytes than it has left, as a header may claim any size.

    Parameters
    ----------
    file
        Open file, binary and seekable.
    name
        Name of the file, for messages.

    Attributes
    ----------
    end
        Size of the file in bytes.

    Examples
    --------
    >>> import io
    >>> file = BoundedFile(io.BytesIO(b"ACME" + bytes(4)), "a.acme")
    >>> file.read(4), file.left
    (b'ACME', 4)
    >>> file.read_exactly(1 << 40)
    Traceback (most recent call last):
    ...
    tonearm.ItemError: 'a.acme' claims 1,099,511,627,776 more bytes, but only 4 are left
        hint: write the file again; if it was copied or downloaded, it did not arrive whole
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        at = file.tell()
        self.end = file.seek(0, os.SEEK_END)
        file.seek(at)

    @property
    def left(self) -> int:
        """Number of bytes between the position and the end."""
        return self.end - self.file.tell()

    def read(self, count: int = -1) -> bytes:
        """Read up to ``count`` bytes, or all that are left if it is negative.

        Raises
        ------
        ItemError
            ``broken-file`` if ``count`` is larger than what is left by more than the few bytes of a head: readers ask
            for heads of a fixed size, and may get less.
        """
        left = self.left
        if count > left + SHORT_HEAD:
            raise self._beyond(count, left)
        return self.file.read(left if count < 0 else count)

    def read_exactly(self, count: int) -> bytes:
        """Read exactly ``count`` bytes.

        Raises
        ------
        ItemError
            ``broken-file`` if fewer are left, or ``count`` is negative.
        """
        left = self.left
        if not 0 <= count <= left:
            raise self._beyond(count, left)
        return self.file.read(count)

    def _beyond(self, count: int, left: int) -> ItemError:
        claimed = f"{count:,} more bytes" if abs(count) < 1 << 63 else "more bytes"
        return ItemError(
            f"{quoted(self.name)} claims {claimed}, but only {max(left, 0):,} are left",
            code="broken-file",
            hint=WRITE_AGAIN,
        )


def check_magic(file: BinaryIO, name: str, what: str, starts: tuple[bytes, ...], offset: int = 0) -> None:
    """Raise `ItemError` unless a file begins as its format demands; go to the start of the file.

    Parameters
    ----------
    file
        Open file, binary and seekable, at any position.
    name
        Name of the file, for messages.
    what
        Type that the file should have, with its article: ``an HDF5 file``.
    starts
        Bytes with which the format can begin.
    offset
        Position of these bytes in the file.

    Raises
    ------
    ItemError
        ``empty`` or ``wrong-format``.

    Examples
    --------
    >>> import io
    >>> check_magic(io.BytesIO(b"RIFF..."), "a.take", "a take", (b"TAKE",))
    Traceback (most recent call last):
    ...
    tonearm.ItemError: 'a.take' is not a take; it looks like a WAV file
        hint: it is audio already: read it by audio-reader
    """
    file.seek(0)
    head = file.read(max(file_types.HEAD, offset + 16))
    if not any(head.startswith(start, offset) for start in starts):
        raise wrong_format_error(file, name, what)
    file.seek(0)


def wrong_format_error(file: BinaryIO, name: str, what: str, reader: str = "") -> ItemError:
    """Return the error for a file that is empty or not of the expected type.

    Parameters
    ----------
    file
        Open file, binary, at any position.
    name
        Name of the file, for messages.
    what
        Type that the file should have, with its article.
    reader
        Name of the decoder that raises the error. A file whose first bytes are of a type that it reads is damaged.

    Returns
    -------
    ItemError
        ``empty``, ``wrong-format`` or ``broken-file``.

    Examples
    --------
    >>> import io
    >>> wrong_format_error(io.BytesIO(b""), "a.take", "a take").code
    'empty'
    """
    file.seek(0)
    head = file.read(file_types.HEAD)
    found = file_types.identify(head)
    if found is file_types.EMPTY:
        return ItemError(f"{quoted(name)} is empty: it has 0 bytes", code="empty", hint=found.hint)
    if reader and found.reader == reader:
        return ItemError(
            f"{quoted(name)} is damaged: it begins as {found.name}, but does not continue as one",
            code="broken-file",
            hint=WRITE_AGAIN,
        )
    return ItemError(f"{quoted(name)} is not {what}; it looks like {found.name}", code="wrong-format", hint=found.hint)
