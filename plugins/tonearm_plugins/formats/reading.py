"""What readers of all formats share: sizes, first bytes, memory maps, and one-line errors for broken files."""

from __future__ import annotations

import errno
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.api import ItemError
from tonearm_plugins.formats.file_types import EMPTY, HEAD, identify
from tonearm_plugins.formats.messages import WRITE_AGAIN, quoted

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAP_FROM = 16 << 20
"""Size in bytes from which on arrays are mapped instead of read."""

_DISK_ERRORS = (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV)


@contextmanager
def reading_errors(name: str, what: str) -> Iterator[None]:
    """Turn the errors that a library raises while it reads a file into an `ItemError`; errors of the disk pass.

    Parameters
    ----------
    name
        Name of the file, for messages.
    what
        Type that the file should have, with its article: ``an HDF5 file``.

    Raises
    ------
    ItemError
        ``broken-file`` or ``no-memory``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's warnings are no news to whoever converts a thousand files
            yield
    except ItemError:
        raise
    except MemoryError:
        raise ItemError(
            f"{quoted(name)} needs more memory than is available", code="no-memory", hint="split it into smaller files"
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise
        raise ItemError(
            f"{quoted(name)} cannot be read as {what}: {quoted_reason(error)}", code="broken-file", hint=WRITE_AGAIN
        ) from error


def quoted_reason(error: Exception) -> str:
    """Return the first line of an error's text, or the name of its class if it has none."""
    if "not a zip file" in str(error):
        return "the directory at its end is missing: it is cut off, or not a zip file"
    text = getattr(error, "error_string", str(error))  # libsndfile's, without the address of the file object
    lines = [line for line in text.splitlines() if line.strip()]
    return quoted(lines[0] if lines else type(error).__name__)


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
