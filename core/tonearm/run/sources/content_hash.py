"""What a file's content is known by: XXH3 in 128 bits.

It tells a file from an older one of the same size. Nobody is kept from forging one, which is not its job: whoever can
write into the output folder can write the journal too. It is ten times as fast as SHA-256, so that hashing every source
and every output costs a few percent of converting them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any, Protocol

from msgspec import Struct

_BUFFER = memoryview(bytearray(1 << 18))  # stays in the cache

KEPT = 16 << 20
"""Bytes up to which a source is read as a whole: once for its hash and its decoder."""

FileState = tuple[int, int]
"""What changes when a file does: its size in bytes, and the time of its last change in nanoseconds.

Of a folder, the size of all files in it together, and the time of the last change to any of them.
"""


class SourceSnapshot(Struct, frozen=True):
    """A source as it was before it was decoded.

    Parameters
    ----------
    state
        None if it is not there.
    hash
        Empty if it is neither file nor folder, or cannot be read; its decoder will say so.
    data
        All of it, unless it is large.
    """

    state: FileState | None = None
    hash: str = ""
    data: bytes | None = None


class Hasher(Protocol):
    """What hashes bytes as they come."""

    def update(self, data: Any, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the hash of all so far, in 32 hex digits."""


def new_hasher(data: bytes = b"") -> Hasher:
    """Return the hash of what was there, and of what is yet to come."""
    import xxhash

    digest: Hasher = xxhash.xxh3_128(data)
    return digest


def take_snapshot(path: str | os.PathLike[str]) -> SourceSnapshot:
    """Read a file once, with its state from before; it never waits."""
    try:
        descriptor = _open(path)
    except (OSError, ValueError):
        return SourceSnapshot(file_state(path))
    state = None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return SourceSnapshot(file_state(path), _hash_of_folder(path) if stat.S_ISDIR(status.st_mode) else "")
        state = (status.st_size, status.st_mtime_ns)
        if status.st_size > KEPT:
            return SourceSnapshot(state, hash_descriptor(descriptor, status.st_size))
        data = _all(descriptor, status.st_size)
        return SourceSnapshot(state, new_hasher(data).hexdigest(), data)
    except OSError:
        return SourceSnapshot(state or file_state(path))
    finally:
        _close(descriptor)


def _all(descriptor: int, size: int) -> bytes:
    """Return what is in a file; what was added meanwhile is left out, and shows in its state."""
    data = os.read(descriptor, size)
    while len(data) < size:
        more = os.read(descriptor, size - len(data))
        if not more:
            break
        data += more
    return data


def hash_descriptor(descriptor: int, size: int | None = None) -> str:
    """Return the hash of an open file's content from its start, in 32 hex digits; its position does not matter.

    Parameters
    ----------
    descriptor
        Of the file.
    size
        Where it ends, if that is known: it saves asking.
    """
    digest = new_hasher()
    offset = 0
    while (size is None or offset < size) and (count := os.preadv(descriptor, [_BUFFER], offset)):
        digest.update(_BUFFER[:count])
        offset += count
    return digest.hexdigest()


def hash_path(path: str | os.PathLike[str]) -> str:
    """Return the hash of a file or folder; an empty text if it is neither or cannot be read. It never waits."""
    try:
        descriptor = _open(path)
    except (OSError, ValueError):
        return ""
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            return _hash_of_folder(path)
        return hash_descriptor(descriptor) if stat.S_ISREG(mode) else ""
    except OSError:
        return ""
    finally:
        _close(descriptor)


def file_state(path: str | os.PathLike[str]) -> FileState | None:
    """Return the state of a file or folder; None if it is not there, or cannot be looked into."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            found = [status, *(inside for _, inside in _inside(os.fspath(path)))]
            sizes = (one.st_size for one in found if not stat.S_ISDIR(one.st_mode))
            return sum(sizes), max(one.st_mtime_ns for one in found)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _inside(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all that lies in a folder and those below, in order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        yield entry.path, entry.stat()
        if entry.is_dir(follow_symlinks=False):
            yield from _inside(entry.path)


def _hash_of_folder(path: str | os.PathLike[str]) -> str:
    folder = os.fspath(path)
    digest = new_hasher()
    for name, status in _inside(folder):
        if stat.S_ISREG(status.st_mode):
            digest.update(os.fsencode(name[len(folder) :]) + b"\0" + hash_path(name).encode())
    return digest.hexdigest()


def _open(path: str | os.PathLike[str]) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
