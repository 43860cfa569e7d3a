"""The sink of an encoder: the temporary file that it writes, and files beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


class Sink:
    """Where an encoder writes.

    Parameters
    ----------
    path
        A temporary file, empty.
    suffix
        Of its final name, with dot, as the user wrote it; the temporary file's own says nothing.
    descriptor
        The same file, open for reading and writing; None opens it by its path.
    """

    def __init__(self, path: str | os.PathLike[str], suffix: str = "", descriptor: int | None = None) -> None:
        self.suffix = suffix
        self.sidecars: dict[str, Path] = {}
        self._path = path
        self._descriptor = descriptor

    @property
    def path(self) -> Path:
        """A temporary file, empty; the host publishes it under its name when the encoder has returned."""
        from pathlib import Path

        return Path(self._path)

    def open(self) -> BinaryIO:
        """Return the temporary file, open for writing bytes from its start; close it when all is written.

        It is cheaper than opening ``path``: some file systems start writing to the disk as soon as a file that was
        truncated, as ``open(path, "wb")`` does, is closed.
        """
        if self._descriptor is None:
            return open(self._path, "wb")  # noqa: PTH123 - the caller closes it
        if os.lseek(self._descriptor, 0, os.SEEK_END):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
        return self._opened(os.dup(self._descriptor))

    def _opened(self, descriptor: int) -> BinaryIO:
        """Return an open file for this descriptor."""
        return open(descriptor, "wb")

    def sidecar(self, suffix: str) -> Path:
        """Return a temporary path for a second file beside the first, published with it: ``sidecar(".json")``.

        It takes the place of the file's own suffix. The second file gets its name just before the first does.
        """
        if not suffix[1:] or not suffix.startswith(".") or "/" in suffix or "\0" in suffix:
            raise ValueError(f"a sidecar's suffix is a dot and more, like .json, not {suffix!r}")
        return self.sidecars.setdefault(suffix, _beside(self._path, suffix))


def _beside(path: str | os.PathLike[str], suffix: str) -> Path:
    from pathlib import Path

    return Path(path).with_name(f"{Path(path).stem}{suffix}.part")
