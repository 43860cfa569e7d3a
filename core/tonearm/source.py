"""Sources of signals: a path, an open file, or an array in memory."""

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
    """A source that a decoder reads. It is immutable by convention.

    Parameters
    ----------
    name
        Name for messages: the path as the user gave it, or ``<array>``.
    path
        Path of the file; None for an array or an open file.
    relative_dir
        Folder of the file below the fixed part of the pattern that found it; ``.`` if there is none in between.
    file
        Open, seekable binary file that is read in place of ``path``.
    array
        Array in memory. Decoders of arrays use it as if they had read it.
    content
        Content of the file, if the host has read it already.
    """

    __slots__ = ("_path", "array", "content", "file", "name", "path_text", "relative_dir")

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
        self.path_text = None if path is None else os.fspath(path)
        self.relative_dir = relative_dir
        self.file = file
        self.array = array
        self.content = content
        self._path: Path | None = None

    @property
    def path(self) -> Path | None:
        """Path of the file; None for an array or an open file. ``path_text`` is the same as a text."""
        if self._path is None and self.path_text is not None:
            from pathlib import Path

            self._path = Path(self.path_text)
        return self._path

    @property
    def stem(self) -> str:
        """Name of the source without its folder and its last suffix."""
        base = os.path.basename(self.path_text or self.name.strip("<>"))  # noqa: PTH119
        return os.path.splitext(base)[0] or "signal"  # noqa: PTH122

    def sha256(self) -> str:
        """Return the SHA-256 of the source's content as hex digits.

        Raises
        ------
        ItemError
            If the source cannot be read.
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
        """Open the source for reading, and check at the end that it has not changed meanwhile.

        Parameters
        ----------
        descriptor
            Whether the file must have a descriptor, ``fileno()``. If it need not, content that the host has read
            already is not read again.

        Raises
        ------
        ItemError
            If the source does not exist, is not a regular file (a pipe or device might block for ever), may not be
            read, or changed while it was read.
        """
        if self.file is not None:
            yield self.file
            return
        if self.content is not None and not descriptor:
            yield io.BytesIO(self.content)
            return
        if self.path_text is None:
            raise ItemError(f"{one_line(self.name)} is an array in memory, not a file", code="not-a-file")
        with open_regular(self.path_text) as file:
            before = _state(file)
            yield file
            if _state(file) != before:
                raise source_changed(self.name)


def source_changed(name: str) -> ItemError:
    """Return the error for a source that changed while it was read."""
    return ItemError(
        f"{one_line(name)} changed while it was read",
        code="source-changed",
        hint="convert it again when it is complete",
    )


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Return a regular file, open for reading. It never blocks.

    Raises
    ------
    ItemError
        If the file does not exist, is not a regular file, or may not be read.
    """
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
    """Return the size, time of change and inode of an open file: they change when somebody writes into it."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino
