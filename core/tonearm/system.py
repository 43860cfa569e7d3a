"""System calls that not every system has, each with what stands in for it: Windows lacks a good part of POSIX's.

What a system has is asked of `os`, never of the system's name.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from typing import BinaryIO, cast

HAS_POSIX = os.open in os.supports_dir_fd and hasattr(os, "fork")
"""Whether this is POSIX: an open file can be renamed and removed, a folder can be opened, and signals interrupt."""

OPEN_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags for each call of `os.open`: it does not wait for the other end of a pipe, and Windows changes no line ends."""

_NO_NAME = re.compile(
    r'.*[\\:*?"<>|\0-\x1f]|.*[. ]$|(con|prn|aux|nul|conin\$|conout\$|com[1-9¹²³]|lpt[1-9¹²³]) *(\..*)?$',
    re.IGNORECASE | re.DOTALL,
)
"""What Windows takes for something else than one name: separators, drives, streams of a file, patterns, devices."""

_position = threading.Lock()
"""Held while a file's position is moved for a moment, where there is no call that reads at an offset."""


@contextlib.contextmanager
def _moved_to(descriptor: int, offset: int) -> Iterator[None]:
    """Move the position of an open file for a block."""
    with _position:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, offset, os.SEEK_SET)
        try:
            yield
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Return bytes of an open file, whose position stays."""
    if HAS_POSIX and hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    with _moved_to(descriptor, offset):
        return os.read(descriptor, size)


def read_into(descriptor: int, memory: memoryview, offset: int) -> int:
    """Read bytes of an open file into memory, and return how many; the file's position stays."""
    if HAS_POSIX and hasattr(os, "preadv"):
        return os.preadv(descriptor, [memory], offset)
    found = read_at(descriptor, len(memory), offset)
    memory[: len(found)] = found
    return len(found)


def write_at(descriptor: int, data: bytes, offset: int) -> int:
    """Write bytes into an open file, and return how many; the file's position stays."""
    if HAS_POSIX and hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, offset)
    with _moved_to(descriptor, offset):
        return os.write(descriptor, data)


def unnamed_file(name: str, buffering: int = -1) -> BinaryIO:
    """Return an empty file without a name: in memory, or on the disk where the system has no files in memory.

    Parameters
    ----------
    name
        What the file holds, for whoever looks at the files of a process.
    buffering
        Buffer size, as `open` takes it.
    """
    if hasattr(os, "memfd_create"):
        with contextlib.suppress(OSError):
            return open(os.memfd_create(name), "w+b", buffering)  # noqa: PTH123 - of a descriptor
    import tempfile

    return cast("BinaryIO", tempfile.TemporaryFile(buffering=buffering))


def path_to(descriptor: int) -> str:
    """Return a path that leads to an open file while this process lives, for libraries that open files themselves.

    Only Linux has paths to files without a name. Elsewhere this is a copy in the folder of temporary files, which goes
    when the process ends, and the file is closed.
    """
    path = f"/proc/{os.getpid()}/fd/{descriptor}"
    if os.path.exists(path):  # noqa: PTH110 - as cheap as it gets
        return path
    import atexit
    import shutil
    import tempfile

    target, copied = tempfile.mkstemp(prefix="tonearm-")
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb") as source, open(target, "wb") as copy:  # noqa: PTH123 - of descriptors
        shutil.copyfileobj(source, copy)
    atexit.register(_remove, copied)
    return copied


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108


def free_space(folder: str) -> int | None:
    """Return the number of bytes that are free where a folder lies or will lie; None if that is not known."""
    while not os.path.isdir(folder):  # noqa: PTH112 - pathlib is slow to import
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:  # a drive that is not there
            return None
        folder = above
    try:
        if HAS_POSIX:
            space = os.statvfs(folder)
            return space.f_bavail * space.f_frsize
        import shutil

        return shutil.disk_usage(folder).free
    except OSError:
        return None


def with_slashes(path: str) -> str:
    """Return a path with slashes between its names, as patterns and the names of outputs have them."""
    return path if os.sep == "/" else path.replace(os.sep, "/")


def is_file_name(text: str) -> bool:
    """Return whether a text without slashes names a file in a folder: on Windows, many a text leads somewhere else."""
    return HAS_POSIX or not _NO_NAME.match(text)
