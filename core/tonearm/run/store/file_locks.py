"""Locks on open files: several processes can share one, or one process has it alone. They end with their holder.

On POSIX they are those of ``flock``. Windows has no shared locks that Python can ask for, but any range of bytes of a
file can be locked, by one process. So all who share a lock have a byte each of a long range, and who has it alone has
the whole range. It lies far behind the content of the files, as nobody else can read what is locked there.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from tonearm.system import HAS_POSIX

if HAS_POSIX:
    import fcntl
else:
    msvcrt: Any = __import__("msvcrt")

FIRST_BYTE = 1 << 30
"""First byte of the range that is locked on Windows. The C library there counts bytes in 32 bits."""

BYTES = 1 << 20
"""Length of the range."""

MAX_TRIES = 20
"""Largest number of bytes that are tried for a lock that is shared: another process may have the same one."""

_ranges: dict[int, tuple[int, int]] = {}
"""First byte and length of what this process has locked on Windows, by the descriptor."""


def lock(descriptor: int, *, shared: bool) -> None:
    """Lock an open file. This never waits. A lock that the descriptor holds already becomes one of the other sort.

    If that fails, it holds none.

    Parameters
    ----------
    descriptor
        Descriptor of the file.
    shared
        Whether others may share the lock.

    Raises
    ------
    BlockingIOError
        If another process, or another descriptor of this one, holds the file in a way that excludes this one.
    OSError
        If the file system has no locks.
    """
    if HAS_POSIX:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return
    if descriptor in _ranges:
        with contextlib.suppress(OSError):  # the lock of a file that was closed, whose number this file has got
            _in_range(descriptor, msvcrt.LK_UNLCK, *_ranges.pop(descriptor))
    for _ in range(MAX_TRIES if shared else 1):
        wanted = (FIRST_BYTE + int.from_bytes(os.urandom(4)) % BYTES, 1) if shared else (FIRST_BYTE, BYTES)
        try:
            _in_range(descriptor, msvcrt.LK_NBLCK, *wanted)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                raise
        else:
            _ranges[descriptor] = wanted
            return
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


_UNSUPPORTED = (errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
"""Errors of a file that cannot be locked at all."""


def _in_range(descriptor: int, mode: int, start: int, size: int) -> None:
    """Lock or unlock a range of bytes. The position of the file stays."""
    before = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, start, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, mode, size)
    finally:
        os.lseek(descriptor, before, os.SEEK_SET)
