"""The module ``msvcrt`` of Windows, as far as tonearm uses it: each range of a file's bytes has one holder."""

import errno
import fcntl
import os
import struct

LK_UNLCK, LK_LOCK, LK_NBLCK = 0, 1, 2


def locking(descriptor, mode, size):
    """Lock or unlock bytes from the file's position on. As on Windows, the holder is the open file, not the process."""
    kind = fcntl.F_UNLCK if mode == LK_UNLCK else fcntl.F_WRLCK
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    if not 0 <= start < start + size < 1 << 31:
        raise OSError(errno.EINVAL, "the C library counts in 32 bits")
    if mode == LK_UNLCK and (descriptor, start, size) not in _held:
        raise PermissionError(errno.EACCES, "Permission denied")  # what is unlocked must have been locked as it is
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", kind, os.SEEK_SET, start, size, 0))
    except BlockingIOError as error:
        raise PermissionError(errno.EACCES, "Permission denied") from error
    (_held.discard if mode == LK_UNLCK else _held.add)((descriptor, start, size))


_held = set()
