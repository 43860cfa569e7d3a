"""Content hashes of files, and of what is in memory: XXH3 with 128 bits.

A hash distinguishes a file from an older one of the same size. It does not protect against forgery, and need not:
anyone who can write into the output folder can also write the journal. It is ten times as fast as SHA-256, so hashing
every small source and every output takes a few percent of the time of converting them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from tonearm.errors import ItemError
from tonearm.source import FileIdentity, Source, identity_of
from tonearm.system import HAS_POSIX, OPEN_FLAGS, read_into, with_slashes

if TYPE_CHECKING:
    from tonearm.typing import Array


class _Buffer(threading.local):
    """A buffer for reading files, one in each thread, since reading lets other threads run."""

    def __init__(self) -> None:
        self.memory = memoryview(bytearray(1 << 18))  # small enough for the cache


_buffer = _Buffer()

MAX_WHOLE_READ = 16 << 20
"""Largest source in bytes that is read as a whole, once for both its hash and its decoder."""

MAX_DEPTH = 64
"""Levels of folders within a source that is a folder; decoders read no deeper ones."""

FileState = tuple[int, int]
"""Size of a file in bytes, and the time of its last change in nanoseconds.

For a folder: the total size of all files in it, and the time of the last change to any of them.
"""

SourceState = FileState | str
"""State of a source: that of its file, or the hash of what is in memory. Only equality has a meaning."""


class SourceSnapshot(Struct, frozen=True):
    """A source as it was before it was decoded.

    Parameters
    ----------
    state
        State of the source; None if it does not exist.
    hash
        Content hash; empty if the content has not been read.
    content
        Content of the source; None if it has not been read.
    identity
        Identity of the file; None for anything else.
    """

    state: SourceState | None = None
    hash: str = ""
    content: bytes | None = None
    identity: FileIdentity | None = None

    def is_current(self, path: str | os.PathLike[str]) -> bool:
        """Return whether the file or folder is still as it was."""
        if self.state is None or isinstance(self.state, str):
            return True
        if self.identity is None:
            return file_state(path) == self.state
        try:
            return identity_of(os.stat(path)) == self.identity
        except OSError:
            return False


class Hasher(Protocol):
    """A hash that is computed piece by piece."""

    def update(self, data: Any, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """Return the hash of all bytes so far, as 32 hex digits."""


def new_hasher(data: bytes = b"") -> Hasher:
    """Return a hasher that has been given some bytes already."""
    import xxhash

    digest: Hasher = xxhash.xxh3_128(data)
    return digest


def take_snapshot(path: str | os.PathLike[str], *, read: bool = True) -> SourceSnapshot:
    """Return the state of a source, and the hash and content of a small file, read in one go. It never blocks.

    Parameters
    ----------
    path
        Path of the source.
    read
        Whether the decoder takes the content. If it does not, nothing is read, and the hash is empty.
    """
    try:
        descriptor = _open(path) if read else -1
    except (OSError, ValueError):
        return SourceSnapshot(file_state(path))
    try:
        status = os.fstat(descriptor) if read else os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return SourceSnapshot(file_state(path))
        found = SourceSnapshot((status.st_size, status.st_mtime_ns), identity=identity_of(status))
        if not read or status.st_size > MAX_WHOLE_READ:
            return found
        content = _read_all(descriptor, status.st_size)
        return SourceSnapshot(found.state, new_hasher(content).hexdigest(), content, found.identity)
    except (OSError, ValueError):
        return SourceSnapshot(file_state(path))
    finally:
        if read:
            _close(descriptor)


def memory_snapshot(source: Source) -> SourceSnapshot:
    """Return the snapshot of a source in memory, whose state is its hash."""
    digest = hash_memory(source)
    return SourceSnapshot(digest or None, digest)


def hash_memory(source: Source) -> str:
    """Return the hash of an array, of arrays by name or of a signal, as 32 hex digits.

    It is an empty text if an array holds Python objects, or a signal something that has no hash.
    """
    if source.array is not None:
        return hash_array(source.array)
    try:
        return _digest_of(source.signal if source.arrays is None else source.arrays)
    except _NoHashError:
        return ""


class _NoHashError(Exception):
    """A value has no hash that stays the same."""


def _digest_of(value: Any) -> str:
    """Return the hash of an array, of a plain value, or of a list, a mapping or a record of these."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        if digest := hash_array(value):
            return digest
        raise _NoHashError
    digest_of_parts = new_hasher(type(value).__qualname__.encode())
    for part in _parts_of(value):
        digest_of_parts.update(part.encode() + b"\0")
    return digest_of_parts.hexdigest()


def _parts_of(value: Any) -> Iterator[str]:
    """Yield texts that stand for the parts of a value."""
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        yield repr(value)
    elif isinstance(value, Mapping):
        for name in value:
            yield str(name)
            try:
                yield _digest_of(value[name])
            except ItemError as error:  # not an array, so no pipeline reads it
                yield error.message
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield _digest_of(one)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield field.name
            yield _digest_of(getattr(value, field.name))
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield name
            yield _digest_of(getattr(value, name))
    else:
        raise _NoHashError


def hash_array(array: Array) -> str:
    """Return the hash of an array's type, shape and values, as 32 hex digits; an empty text for Python objects."""
    import numpy as np

    if array.dtype.hasobject:
        return ""
    digest = new_hasher(f"{array.dtype.descr}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()


def _read_all(descriptor: int, size: int) -> bytes:
    """Return the first bytes of a file, up to a size. Bytes added since show in its state."""
    data = os.read(descriptor, size)
    while len(data) < size:
        more = os.read(descriptor, size - len(data))
        if not more:
            break
        data += more
    return data


def hash_descriptor(descriptor: int, size: int | None = None) -> str:
    """Return the hash of an open file's whole content, as 32 hex digits. Its position does not matter.

    Parameters
    ----------
    descriptor
        Descriptor of the file.
    size
        Size of the file in bytes, if known. It saves a system call.
    """
    digest = new_hasher()
    memory = _buffer.memory
    offset = 0
    while (size is None or offset < size) and (count := read_into(descriptor, memory, offset)):
        digest.update(memory[:count])
        offset += count
    return digest.hexdigest()


def hash_path(path: str | os.PathLike[str]) -> str:
    """Return the hash of a file or folder; an empty text if it is neither or cannot be read. It never blocks."""
    try:
        descriptor = _open(path)
    except (OSError, ValueError):
        # Windows opens no folder.
        return _hash_of_folder(path) if not HAS_POSIX and os.path.isdir(path) else ""
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
    """Return the state of a file or folder; None if it does not exist or cannot be read."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            found = [status, *(inside for _, inside in _walk(os.fspath(path)))]
            sizes = (one.st_size for one in found if not stat.S_ISDIR(one.st_mode))
            return sum(sizes), max(one.st_mtime_ns for one in found)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _walk(folder: str, depth: int = MAX_DEPTH) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the paths and statuses of everything below a folder, in order; links are themselves, not their targets."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        yield entry.path, entry.stat(follow_symlinks=False)
        if depth and entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, depth - 1)


def _hash_of_folder(path: str | os.PathLike[str]) -> str:
    folder = os.fspath(path)
    digest = new_hasher()
    for name, status in _walk(folder):
        if stat.S_ISREG(status.st_mode):
            digest.update(os.fsencode(with_slashes(name[len(folder) :])) + b"\0" + hash_path(name).encode())
    return digest.hexdigest()


def _open(path: str | os.PathLike[str]) -> int:
    return os.open(path, os.O_RDONLY | OPEN_FLAGS)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
