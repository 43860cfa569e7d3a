"""Windows from files."""

from __future__ import annotations

import functools
import stat
from typing import Any

from tonearm.errors import OptionError
from tonearm.signals.windows import WINDOW_FILES, Window, bad_window_error, checked_values


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
        if stat.S_ISFIFO(status.st_mode):  # it would wait for ever
            raise bad_window_error(f"{window} is a pipe, not a file")
        return _read(window, status.st_mtime_ns)
    except OSError as error:
        code = "no-such-file" if isinstance(error, FileNotFoundError) else "bad-window"
        reason = (error.strerror or str(error)).lower()
        message = f"there is no file {window}" if code == "no-such-file" else f"{window} cannot be read: {reason}"
        raise OptionError(message, option="window", code=code) from error
    except OptionError:
        raise
    except (ValueError, EOFError) as error:
        raise bad_window_error(f"{window} holds no window: {error}") from error


@functools.lru_cache(maxsize=8)
def _read(path: str, _changed: int) -> tuple[float, ...]:
    """Return the values in a file, which is read again when it has changed."""
    if path.lower().endswith(".txt"):
        from pathlib import Path

        try:
            row: Any = [float(word) for word in Path(path).read_text(encoding="utf-8").split()]
        except ValueError as error:  # its text quotes the file, which may be any
            raise bad_window_error(f"{path} holds no window: it is not numbers alone") from error
    else:
        import numpy as np

        row = np.load(path, allow_pickle=False)
        if not isinstance(row, np.ndarray):
            raise bad_window_error(f"{path} is not a .npy file")
    return checked_values(row, len(row) if getattr(row, "ndim", 1) else 0, path)
