"""Open files whose claims are checked: their sizes, their first bytes, and memory maps of their arrays."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.errors import ItemError
from tonearm.reading.file_types import EMPTY, HEAD, identify
from tonearm.reading.messages import WRITE_AGAIN, quoted

if TYPE_CHECKING:
    from tonearm.typing import Array

MAP_FROM = 16 << 20
"""Size in bytes from which on arrays are mapped instead of read."""


def size_of(file: BinaryIO) -> int:
    """Return the size of a file in bytes, and go to its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def path_of(file: BinaryIO) -> str | None:
    """Return a path that leads to this open file even if its name is gone; None if the file is in memory."""
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
        Open file, binary. It may be closed afterwards.
    dtype, shape, order
        Type, dimensions and memory order of the values.
    offset
        Position of the first value in the file, in bytes.

    Returns
    -------
    ndarray or None
        Read-only `numpy.memmap`; None if the file is in memory or its file system cannot map files.

    Raises
    ------
    ValueError
        The file ends before the last value.
    """
    import numpy as np

    try:
        return np.memmap(file, dtype, "r", offset, shape, order)
    except (io.UnsupportedOperation, AttributeError):  # no file descriptor
        return None
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None


def check_magic(file: BinaryIO, name: str, what: str, starts: tuple[bytes, ...], offset: int = 0) -> None:
    """Raise `ItemError` unless a file has one of several starts at ``offset``; go to the start of the file."""
    file.seek(0)
    head = file.read(max(HEAD, offset + 16))
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
    """
    file.seek(0)
    head = file.read(HEAD)
    found = identify(head)
    if found is EMPTY:
        return ItemError(f"{quoted(name)} is empty: it has 0 bytes", code="empty", hint=found.hint)
    if reader and found.reader == reader:
        return ItemError(
            f"{quoted(name)} is damaged: it begins as {found.name}, but does not continue as one",
            code="broken-file",
            hint=WRITE_AGAIN,
        )
    return ItemError(f"{quoted(name)} is not {what}; it looks like {found.name}", code="wrong-format", hint=found.hint)
