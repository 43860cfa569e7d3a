"""A sink that hashes what an encoder writes, so that the file need not be read again."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.content_hash import new_hasher
from tonearm.plugins.sink import Sink
from tonearm.system import write_at

if TYPE_CHECKING:
    from pathlib import Path


class _HashingFile(io.FileIO):
    """An open file that hashes what is written to it.

    Attributes
    ----------
    hasher
        Hasher of all bytes so far.
    size
        Number of bytes so far.
    sequential
        Whether the bytes were written one after the other, and by no other way that this object can see.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb")
        self.hasher = new_hasher()
        self.size = 0
        self.sequential = True

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self.hasher.update(memoryview(data).cast("B")[:count])
        self.size += count
        return count

    def seek(self, *where: Any) -> int:
        self.sequential = False
        return super().seek(*where)

    def truncate(self, size: int | None = None, /) -> int:
        self.sequential = False
        return super().truncate(size)

    def fileno(self) -> int:
        self.sequential = False
        return super().fileno()


class HashingSink(Sink):
    """A sink that knows the hash of its file if an encoder opened it once and wrote it sequentially."""

    def __init__(self, path: str, suffix: str, descriptor: int) -> None:
        super().__init__(path, suffix, descriptor)
        self._own = descriptor
        self._file: _HashingFile | None = None
        self._opened_once = True

    @property
    def path(self) -> Path:
        """Path of the temporary file. Writing through this path bypasses the hash."""
        self._opened_once = False
        return super().path

    def _opened(self, descriptor: int) -> BinaryIO:
        self._opened_once = self._opened_once and self._file is None
        self._file = _HashingFile(descriptor)
        return cast("BinaryIO", io.BufferedWriter(self._file))

    def extend(self, data: bytes) -> None:
        """Write behind the end of the file, up to the disk. A plugin may have closed the file: then nothing happens.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        try:
            size = os.fstat(self._own).st_size
        except OSError:
            return
        write_at(self._own, data, size)
        os.fsync(self._own)

    def hash(self, size: int) -> str:
        """Return the hash of the file; an empty text if the file must be read for it.

        Parameters
        ----------
        size
            Size of the file in bytes. If more or fewer bytes were written here, somebody else has written, too.
        """
        file = self._file
        if not self._opened_once or file is None or not file.sequential or file.size != size:
            return ""
        return file.hasher.hexdigest()
