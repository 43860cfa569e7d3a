"""A sink that passes bytes on as they come: a pipe, a socket, or a caller who waits for them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from tonearm.errors import ItemError
from tonearm.plugins.encoder import PIPE_HINT
from tonearm.plugins.sink import Sink
from tonearm.system import HAS_POSIX


class PipeSink(Sink):
    """A sink that cannot go back in what was written, and has no path.

    Parameters
    ----------
    take
        Function that takes bytes, all of them, and keeps no reference to them.
    suffix
        Suffix of the format, with dot.
    """

    def __init__(self, take: Callable[[memoryview], object], suffix: str) -> None:
        super().__init__("", suffix)
        self._take = take

    @property
    def seekable(self) -> bool:
        """Always False."""
        return False

    @property
    def path(self) -> Path:
        """Raise `ItemError`: a pipe has none."""
        raise _no_file()

    def open(self) -> BinaryIO:
        """Return an open file that passes on what is written. Closing it does not close the pipe."""
        return cast("BinaryIO", _PipeFile(self._take))

    def sidecar(self, suffix: str) -> NoReturn:  # noqa: ARG002 - as `Sink` has it
        """Raise `ItemError`: there is no place beside a pipe."""
        message = "provenance is written into a file beside the sound, and a pipe has none"
        raise ItemError(message, code="needs-file", hint="leave provenance out, or write to a path")


class _PipeFile(io.RawIOBase):
    def __init__(self, take: Callable[[memoryview], object]) -> None:
        self._take = take

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        if view.nbytes:
            self._take(view)
        return view.nbytes


def appends(descriptor: int) -> bool:
    """Return whether what is written to a descriptor always goes to the end of its file, as after ``>>`` in a shell."""
    if not HAS_POSIX:  # Windows cannot tell
        return False
    import fcntl

    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)


def _no_file() -> ItemError:
    message = "the encoder writes a file, and cannot write into a pipe"
    return ItemError(message, code="needs-file", hint=PIPE_HINT)
