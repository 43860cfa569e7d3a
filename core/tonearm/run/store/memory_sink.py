"""A sink whose file gets no name, for bytes that are wanted in memory or in an open file."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from tonearm.errors import ItemError
from tonearm.plugins.sink import Sink
from tonearm.system import unnamed_file

with contextlib.suppress(OSError):
    # The first call takes a lock. While a module is imported, no thread forks a child that would wait for it for ever.
    tempfile.gettempdir()


class MemorySink(Sink):
    """A sink whose file lies in memory until an encoder asks for its path. Use it as a context manager.

    From then on the file lies in a temporary folder, as other programs and some libraries can write nowhere else. So
    do sidecars, which are removed with it: there is no place beside bytes.

    Parameters
    ----------
    suffix
        Suffix of the format, with dot.
    """

    def __init__(self, suffix: str) -> None:
        self._file: BinaryIO = unnamed_file("output", buffering=0)
        self._folder = ""
        super().__init__("", suffix, self._file.fileno())

    @property
    def path(self) -> Path:
        """Path of the file, which is a file of a temporary folder from then on."""
        if not self._folder:
            self._folder = _new_folder()
            self._path = os.path.join(self._folder, "output.part")
            named = open(self._path, "x+b")  # noqa: SIM115 - `__exit__` closes it
            with self._file as unnamed:
                unnamed.seek(0)
                shutil.copyfileobj(unnamed, named)
            named.flush()
            self._file, self._descriptor = named, named.fileno()
        return Path(self._path)

    def sidecar(self, suffix: str) -> Path:
        """Return a path in the temporary folder, for a second file that is removed with it."""
        self.path  # noqa: B018 - makes the folder
        return super().sidecar(suffix)

    def content(self, encoder: str) -> bytes:
        """Return the content of the file; an encoder may have replaced the one that it got the path of.

        Parameters
        ----------
        encoder
            Name of the encoder that has written it, for messages.

        Raises
        ------
        ItemError
            If the encoder wrote nothing.
        """
        with open(self._path if self._folder else os.dup(self._file.fileno()), "rb") as file:
            file.seek(0)
            content = file.read()
        if not content:
            raise ItemError(f"{encoder} wrote nothing", code="nothing-written")
        return content

    def __enter__(self) -> MemorySink:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _new_folder() -> str:
    """Make a folder for temporary files that nobody else may read, as `tempfile.mkdtemp` does, but without a lock."""
    while True:
        folder = os.path.join(tempfile.gettempdir(), f"tonearm-{os.urandom(8).hex()}")
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            return folder
