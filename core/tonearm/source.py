"""Where a signal comes from: a path, an open file, or an array in memory."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.errors import ItemError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.typing import Array


class Source:
    """One thing that a decoder reads; nobody changes it.

    Parameters
    ----------
    name
        What people call it: the path as given, or ``<array>``.
    path
        Of a file; None for what is in memory.
    relative_dir
        Folder of the file below the fixed part of the pattern that found it; ``.`` if it lies right there.
    file
        An open binary file, seekable, read in place of ``path``.
    array
        An array in memory; decoders of arrays take it as if it were read.
    content
        All that is in the file, where the host has read it already; it cannot be written to.
    """

    __slots__ = ("_path", "array", "content", "file", "name", "relative_dir", "where")

    def __init__(
        self,
        *,
        name: str,
        path: str | os.PathLike[str] | None = None,
        relative_dir: str = ".",
        file: BinaryIO | None = None,
        array: Array | None = None,
        content: bytes | None = None,
    ) -> None:
        self.name = name
        self.where = None if path is None else os.fspath(path)
        self.relative_dir = relative_dir
        self.file = file
        self.array = array
        self.content = content
        self._path: Path | None = None

    @property
    def path(self) -> Path | None:
        """Of a file; None for what is in memory. As a text it is ``where``."""
        if self._path is None and self.where is not None:
            from pathlib import Path

            self._path = Path(self.where)
        return self._path

    @property
    def stem(self) -> str:
        """Name without folder and without the last suffix."""
        base = os.path.basename(self.where or self.name.strip("<>"))  # noqa: PTH119
        return os.path.splitext(base)[0] or "signal"  # noqa: PTH122

    def sha256(self) -> str:
        """Return the SHA-256 of its content, in hex.

        Raises
        ------
        ItemError
            If it cannot be read.
        """
        import hashlib

        if self.array is not None:
            return hashlib.sha256(self.array.tobytes()).hexdigest()
        with self.open(descriptor=False) as file:
            start = file.tell()
            file.seek(0)
            digest = hashlib.file_digest(_as_any(file), "sha256").hexdigest()
            file.seek(start)
        return digest

    @contextlib.contextmanager
    def open(self, *, descriptor: bool = True) -> Iterator[BinaryIO]:
        """Open it for reading, and see at the end that nobody changed it meanwhile.

        Parameters
        ----------
        descriptor
            Whether it must be a file of the operating system, with ``fileno()``. Where it need not be, what the host
            has read already is not read again.

        Raises
        ------
        ItemError
            If it is not there, is no regular file (a pipe or device would wait for ever), may not be read, or changed
            while it was read.
        """
        if self.file is not None:
            yield self.file
            return
        if self.content is not None and not descriptor:
            yield io.BytesIO(self.content)
            return
        if self.where is None:
            raise ItemError(f"{one_line(self.name)} is an array in memory, not a file", code="not-a-file")
        with open_regular(self.where) as file:
            before = _state(file)
            yield file
            if _state(file) != before:
                raise ItemError(
                    f"{one_line(self.name)} changed while it was read",
                    code="source-changed",
                    hint="convert it again when it is finished",
                )


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading without ever waiting; anything else is an `ItemError`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ItemError(f"cannot read {_shown(path)}: {reason}", code="unreadable") from error
    except ValueError as error:  # a NUL in the name
        raise ItemError(f"cannot read {_shown(path)}: {error}", code="unreadable") from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ItemError(f"cannot read {_shown(path)}: it is {what}", code="not-a-file")
    return open(handle, "rb")  # noqa: PTH123 - of a descriptor


def _shown(path: str | os.PathLike[str]) -> str:
    return one_line(os.fspath(path))


def _as_any(file: object) -> Any:
    return file


def _state(file: BinaryIO) -> tuple[int, int, int]:
    """Return what changes when somebody writes into an open file."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino
