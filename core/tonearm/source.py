"""Sources of signals: a path, an open file, or an array, arrays by name or a signal in memory.

A run reads a small source once: the content that it has hashed is the content that the decoder gets. A larger source is
read by its decoder alone. In between, its size, time of change and inode must stay the same.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.errors import ItemError, one_line
from tonearm.system import HAS_POSIX, OPEN_FLAGS, unnamed_file

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.signals import Signal
    from tonearm.typing import Array

FileIdentity = tuple[int, int, int]
"""Size of a file in bytes, time of its last change in nanoseconds, and inode."""


class Source:
    """A source that a decoder reads. It is immutable by convention.

    Parameters
    ----------
    name
        Name for messages: the path as the user gave it, or ``<array>``.
    path
        Path of the file; None for an open file, and for what is in memory.
    relative_dir
        Folder of the file below the fixed part of the pattern that found it; ``.`` if there is none in between.
    file
        Open, seekable binary file that is read in place of ``path``.
    array
        Array in memory. Decoders of arrays use it as if they had read it.
    arrays
        Several arrays in memory, by name. Decoders of named arrays use them as if they had read them.
    signal
        Signal in memory, which takes the place of what a decoder reads.
    content
        Content of the file, if the host has read it already.
    identity
        Identity of the file that the host has seen. Another file under the same path is refused. None if any file will
        do.
    key
        Name that the caller gave to the source; it stands for the stem. Empty if there is none.
    found
        Whether a search found the file: a folder or a pattern was given, not its path.
    absolute_path
        Absolute path of the file, if it is known already; empty for an open file, and for what is in memory.
    """

    __slots__ = (
        "_path",
        "absolute_path",
        "array",
        "arrays",
        "content",
        "file",
        "found",
        "identity",
        "key",
        "name",
        "path_text",
        "relative_dir",
        "signal",
    )

    def __init__(
        self,
        *,
        name: str,
        path: str | os.PathLike[str] | None = None,
        relative_dir: str = ".",
        file: BinaryIO | None = None,
        array: Array | None = None,
        arrays: Mapping[str, Array] | None = None,
        signal: Signal | None = None,
        content: bytes | None = None,
        identity: FileIdentity | None = None,
        key: str = "",
        found: bool = False,
        absolute_path: str = "",
    ) -> None:
        self.name = name
        self.path_text = None if path is None else os.fspath(path)
        self.relative_dir = relative_dir
        self.file = file
        self.array = array
        self.arrays = arrays
        self.signal = signal
        self.content = content
        self.identity = identity
        self.key = key
        self.found = found
        self.absolute_path = absolute_path or (os.path.abspath(self.path_text) if self.path_text else "")  # noqa: PTH100
        self._path: Path | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {one_line(self.key or self.name)}>"

    @property
    def path(self) -> Path | None:
        """Path of the file; None for an open file and for what is in memory. ``path_text`` is the same as text."""
        if self._path is None and self.path_text is not None:
            from pathlib import Path

            self._path = Path(self.path_text)
        return self._path

    @property
    def holds_arrays(self) -> bool:
        """Whether an array, or arrays by name, are given in memory."""
        return self.array is not None or self.arrays is not None

    @property
    def in_memory(self) -> bool:
        """Whether an array, arrays by name or a signal are given in memory."""
        return self.holds_arrays or self.signal is not None

    @property
    def memory_arrays(self) -> dict[str, Array]:
        """The arrays in memory by name: one without a name, those that have names, or those of a signal."""
        if self.array is not None:
            return {"": self.array}
        if self.signal is not None:
            return {str(index): array for index, array in enumerate(self.signal.arrays())}
        return {} if self.arrays is None else _readable(self.arrays)

    @property
    def name_below_root(self) -> str:
        """Name without the folders above the one that was searched; the name itself if there is no path."""
        if self.key or self.path_text is None:
            return self.key or self.name
        return os.path.normpath(os.path.join(self.relative_dir, os.path.basename(self.path_text)))  # noqa: PTH118, PTH119

    @property
    def stem(self) -> str:
        """Key of the source, or its name without folder and last suffix."""
        if self.key:
            return self.key
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

        if self.in_memory:
            found = hashlib.sha256()
            for name, array in self.memory_arrays.items():
                found.update(name.encode() + array.tobytes())
            return found.hexdigest()
        if self.content is not None:
            return hashlib.sha256(self.content).hexdigest()
        with self.open() as file:
            start = file.tell()
            file.seek(0)
            digest = hashlib.file_digest(_as_any(file), "sha256").hexdigest()
            file.seek(start)
        return digest

    @contextlib.contextmanager
    def open(self, *, descriptor: bool = False) -> Iterator[BinaryIO]:
        """Open the source for reading, and check at the end that it has not changed meanwhile.

        Parameters
        ----------
        descriptor
            Whether the file must have a descriptor, ``fileno()``, whose content is the source's. Otherwise the file may
            be in memory.

        Raises
        ------
        ItemError
            If the source does not exist, is not a regular file (a pipe or device might block for ever), may not be
            read, or has changed since the host saw it.
        """
        if self.file is not None or self.content is not None:
            with self._open_given(descriptor=descriptor) as file:
                yield file
            return
        if self.path_text is None:
            what = "a signal" if self.signal is not None else "an array" if self.arrays is None else "arrays"
            raise ItemError(f"{one_line(self.name)} is {what} in memory, not a file", code="not-a-file")
        with open_regular(self.path_text) as file:
            before = identity_of(os.fstat(file.fileno()))
            if self.identity not in (None, before):
                raise source_changed(self.name)
            yield file
            if identity_of(os.fstat(file.fileno())) != before:
                raise source_changed(self.name)

    @contextlib.contextmanager
    def _open_given(self, *, descriptor: bool) -> Iterator[BinaryIO]:
        """Open the source's open file or its content."""
        given = io.BytesIO(self.content or b"") if self.file is None else self.file
        if not descriptor:
            yield given
            return
        import shutil

        # An open file's own descriptor may be missing, or that of a compressed file.
        with unnamed_file("source") as copy:
            shutil.copyfileobj(given, copy)
            copy.seek(0)
            yield copy


CHUNKS = Source(name="<chunks>")
"""Source that stands for the chunks of a stream in messages."""


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
        handle = os.open(path, os.O_RDONLY | OPEN_FLAGS)
    except OSError as error:
        if not HAS_POSIX and os.path.isdir(path):  # noqa: PTH112 - Windows opens no folder
            raise ItemError(f"cannot read {_shown(path)}: it is a folder", code="not-a-file") from error
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


def _readable(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return those of several arrays that can be read, with the samples of sounds in place of waveforms."""
    found = {}
    for name in arrays:
        with contextlib.suppress(ItemError):
            found[name] = arrays[name]
    plain = {name: getattr(one, "samples", one) for name, one in found.items()}
    return {name: array for name, array in plain.items() if not array.dtype.hasobject}


def _as_any(file: object) -> Any:
    return file


def identity_of(status: os.stat_result) -> FileIdentity:
    """Return the identity of a file. It changes when somebody writes into the file or replaces it."""
    return status.st_size, status.st_mtime_ns, status.st_ino
