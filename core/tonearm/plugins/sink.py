"""The sink of an encoder: a temporary file to write, and sidecar files next to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


class Sink:
    """The output of an encoder.

    Parameters
    ----------
    path
        Path of an empty temporary file.
    suffix
        Suffix of the final name, with dot, as the user wrote it; the temporary name has another one.
    descriptor
        Descriptor of the same file, open for reading and writing; None to open it by its path.
    """

    def __init__(self, path: str | os.PathLike[str], suffix: str = "", descriptor: int | None = None) -> None:
        self.suffix = suffix
        self.sidecars: dict[str, Path] = {}
        self._path = path
        self._descriptor = descriptor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self.suffix or 'a file'}>"

    @property
    def seekable(self) -> bool:
        """Whether an encoder may go back in what it has written; False for a pipe."""
        return True

    @property
    def path(self) -> Path:
        """Path of an empty temporary file, which the host publishes when the encoder has returned."""
        from pathlib import Path

        return Path(self._path)

    def open(self) -> BinaryIO:
        """Return the temporary file, opened for writing bytes from its start; the caller closes it.

        This is faster than ``open(path, "wb")``, which truncates the file: some file systems write truncated files to
        the disk as soon as they are closed.
        """
        if self._descriptor is None:
            return open(self._path, "wb")  # noqa: PTH123 - the caller closes it
        if os.lseek(self._descriptor, 0, os.SEEK_END):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
        return self._opened(os.dup(self._descriptor))

    def _opened(self, descriptor: int) -> BinaryIO:
        """Return an open file for a descriptor."""
        return open(descriptor, "wb")

    def sidecar(self, suffix: str) -> Path:
        """Return a temporary path for a second file, published just before the first: ``sidecar(".json")``.

        The suffix replaces that of the first file.
        """
        if not suffix[1:] or not suffix.startswith(".") or "/" in suffix or "\0" in suffix:
            raise ValueError(f"the suffix of a sidecar starts with a dot, like .json, unlike {suffix!r}")
        return self.sidecars.setdefault(suffix, _beside(self._path, suffix))


def _beside(path: str | os.PathLike[str], suffix: str) -> Path:
    from pathlib import Path

    return Path(path).with_name(f"{Path(path).stem}{suffix}.part")
