"""What a file's content is known by: XXH3 in 128 bits.

It tells a file from an older one of the same size. Nobody is kept from forging one, which is not its job: whoever can
write into the output folder can write the journal too. It is ten times as fast as SHA-256, so that hashing every source
and every output costs a few percent of converting them.
"""

from __future__ import annotations

import os
import stat
from typing import Any, Protocol

_BUFFER = memoryview(bytearray(1 << 18))  # stays in the cache


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...
    def hexdigest(self) -> str: ...


def hash_of(descriptor: int) -> str:
    """Return the hash of an open file's content from its start, in 32 hex digits; its position does not matter."""
    import xxhash

    digest: _Hash = xxhash.xxh3_128()
    offset = 0
    while count := os.preadv(descriptor, [_BUFFER], offset):
        digest.update(_BUFFER[:count])
        offset += count
    return digest.hexdigest()


def hash_of_file(path: str | os.PathLike[str]) -> str:
    """Return the hash of a regular file; an empty text if it is none or cannot be read. It never waits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        return hash_of(descriptor) if stat.S_ISREG(os.fstat(descriptor).st_mode) else ""
    except OSError:
        return ""
    finally:
        os.close(descriptor)


State = tuple[int, int]
"""What changes when a file does: its size in bytes, and the time of its last change in nanoseconds."""


def state_of(path: str | os.PathLike[str]) -> State | None:
    """Return the state of a file; None if it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
