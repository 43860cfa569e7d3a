"""A sink that hashes what is written to it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.plugins.sink import Sink
from tonearm.run.sources.content_hash import new_hasher

if TYPE_CHECKING:
    from pathlib import Path


class HashingFile(io.FileIO):
    """An open file that hashes what is written to it, as long as that is one piece after the other.

    Attributes
    ----------
    size
        Bytes that were hashed.
    straight
        Whether nothing else can have happened to the file by this way.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb")
        self.hash = new_hasher()
        self.size = 0
        self.straight = True

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self.hash.update(memoryview(data).cast("B")[:count])
        self.size += count
        return count

    def seek(self, *where: Any) -> int:
        self.straight = False
        return super().seek(*where)

    def truncate(self, size: int | None = None, /) -> int:
        self.straight = False
        return super().truncate(size)

    def fileno(self) -> int:
        self.straight = False
        return super().fileno()


class HashingSink(Sink):
    """A sink that knows the hash of its file without reading it, if an encoder wrote it once and straight through."""

    def __init__(self, path: str, suffix: str, descriptor: int) -> None:
        super().__init__(path, suffix, descriptor)
        self._file: HashingFile | None = None
        self._known = True

    @property
    def path(self) -> Path:
        self._known = False
        return super().path

    def _opened(self, descriptor: int) -> BinaryIO:
        self._known = self._known and self._file is None
        self._file = HashingFile(descriptor)
        return cast("BinaryIO", io.BufferedWriter(self._file))

    def hash(self, size: int) -> str:
        """Return the hash of the file, which has this size; an empty text if it must be read for it."""
        file = self._file
        if not self._known or file is None or not file.straight or file.size != size:
            return ""
        return file.hash.hexdigest()
