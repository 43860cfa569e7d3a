"""Windows from files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from tonearm.errors import OptionError
from tonearm.named_file import read_named_file
from tonearm.signals.windows import WINDOW_FILES, Window, bad_window_error, checked_values

MAX_BYTES = 1 << 24
"""Largest size of a file with a window."""

_MAGIC = b"\x93NUMPY"


def given_window(window: Window) -> Window:
    """Return the window that an option gives: a name or values as they are, and of a file the values that it holds.

    Parameters
    ----------
    window
        Name of a window, its values, or path of a ``.npy`` file with one axis or of a ``.txt`` file with numbers
        between white space.

    Raises
    ------
    OptionError
        If the file cannot be read, or is not a row of numbers.
    """
    if not isinstance(window, str) or not window.lower().endswith(WINDOW_FILES):
        return window
    from pathlib import Path

    try:
        status = Path(window).stat()
        return _read(window, status.st_mtime_ns, status.st_size)
    except OSError as error:
        code = "no-such-file" if isinstance(error, FileNotFoundError) else "bad-window"
        reason = (error.strerror or str(error)).lower()
        message = f"there is no file {window}" if code == "no-such-file" else f"{window} cannot be read: {reason}"
        raise OptionError(message, option="window", code=code) from error


@functools.lru_cache(maxsize=8)
def _read(path: str, _changed: int, _size: int) -> tuple[float, ...]:
    """Return the values in a file, which is read again when it has changed.

    No error quotes the file, since an option can name any.
    """
    content = read_named_file(path, MAX_BYTES)
    if content is None:
        raise bad_window_error(f"{path} is a pipe or a device, not a file")
    if len(content) > MAX_BYTES:
        raise bad_window_error(f"{path} has more than {MAX_BYTES >> 20} MiB")
    if path.lower().endswith(".txt"):
        row: Any = list(_numbers(path, content))
        return checked_values(row, len(row), path)
    import io

    import numpy as np

    if not content.startswith(_MAGIC):
        raise bad_window_error(f"{path} is not a .npy file")
    try:
        row = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # numpy has a dozen types of them for a broken header
        reason = "it holds Python objects" if "allow_pickle" in str(error) else "it is broken or cut off"
        raise bad_window_error(f"{path} holds no window: {reason}") from None
    if row.dtype.kind not in "fiu":  # an array of texts without length can claim any number of them
        raise bad_window_error(f"{path} holds values that are not real numbers")
    return checked_values(row, len(row) if row.ndim else 0, path)


def _numbers(path: str, content: bytes) -> Iterator[float]:
    """Yield the numbers of a text."""
    for position, word in enumerate(content.split(), 1):
        try:
            yield float(word)
        except ValueError:
            raise bad_window_error(f"{path} holds no window: word {position} is not a number") from None
