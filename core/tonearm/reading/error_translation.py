"""Translation of the errors that libraries raise into errors of one item, on one line."""

from __future__ import annotations

import errno
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tonearm.errors import ItemError
from tonearm.reading.messages import WRITE_AGAIN, quoted

_DISK_ERRORS = (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV)

_EXCERPT = 24  # characters of a file that a reason may quote
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`""")


@contextmanager
def reading_errors(name: str, what: str, *, quotes: bool = True) -> Iterator[None]:
    """Turn the errors that a library raises in a ``with`` block into an `ItemError` that names the file.

    Errors of the disk pass, and so does an `ItemError`. Warnings of the library are suppressed.

    Parameters
    ----------
    name
        Name of the file, for messages.
    what
        Type that the file should have, with its article: ``an HDF5 file``.
    quotes
        Whether the reason may be in the library's words, as `quoted_reason` returns them. Give False where the file may
        be another than the one that the user named: then nothing that stands in it comes out.

    Raises
    ------
    ItemError
        ``broken-file`` or ``no-memory``.

    Examples
    --------
    >>> import zlib
    >>> with reading_errors("a.take", "a take"):
    ...     zlib.decompress(b"nonsense")
    Traceback (most recent call last):
    ...
    tonearm.ItemError: 'a.take' cannot be read as a take: 'Error -3 while decompressing data: ...'
        hint: write the file again; if it was copied or downloaded, it did not arrive whole
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they would be repeated for each of a thousand files
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
        reason = f": {quoted_reason(error)}" if quotes else ""
        raise ItemError(
            f"{quoted(name)} cannot be read as {what}{reason}", code="broken-file", hint=WRITE_AGAIN
        ) from error


def quoted_reason(error: Exception) -> str:
    r"""Return the text of an error, on one line. What it quotes is cut short: it may stand in the file.

    Parameters
    ----------
    error
        Error of any library.

    Returns
    -------
    str
        First line of its text in quotes, or the name of its class if it has no text.

    Examples
    --------
    >>> quoted_reason(ValueError("bad header\nmore"))
    "'bad header'"
    >>> quoted_reason(ValueError("could not convert string to float: 'password = hunter2, and so on'"))
    '"could not convert string to float: \'password = hunter2, and…\'"'
    """
    if "not a zip file" in str(error):
        return "the directory at its end is missing: it is cut off, or not a zip file"
    text = getattr(error, "error_string", str(error))  # libsndfile's, without the address of the file object
    lines = [line for line in text.splitlines() if line.strip()]
    return quoted(_QUOTED.sub(_cut, lines[0]) if lines else type(error).__name__)


def _cut(found: re.Match[str]) -> str:
    """Return what is quoted in a reason, cut off where it is too long."""
    mark, text = found[0][0], found[0][1:-1]
    return found[0] if len(text) <= _EXCERPT else f"{mark}{text[: _EXCERPT - 1]}…{mark}"
