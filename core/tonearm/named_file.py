"""Small files that options name, such as a cover or a window: regular files alone, read up to a limit."""

from __future__ import annotations

import errno
import os
import stat

from tonearm.system import OPEN_FLAGS


def read_named_file(path: str, limit: int) -> bytes | None:
    """Return the content of a file that an option names. It never waits.

    Parameters
    ----------
    path
        Path of the file.
    limit
        Largest size in bytes.

    Returns
    -------
    bytes or None
        Content, or its first ``limit + 1`` bytes if it is larger; None for a pipe, a device or a socket.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | OPEN_FLAGS)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - pathlib takes no descriptor
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return file.read(limit + 1) if stat.S_ISREG(mode) else None
