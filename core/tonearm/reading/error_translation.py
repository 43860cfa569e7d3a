"""Translation of the errors that libraries raise into errors of one item, on one line."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tonearm.errors import ItemError
from tonearm.reading.messages import WRITE_AGAIN, quoted

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
