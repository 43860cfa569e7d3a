"""Places where streams go: a file of a name, an open file, or a pipe, which takes bytes and gives none back."""

from __future__ import annotations

import io
import os
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from tonearm.conversion.destination import Destination, write_all
from tonearm.errors import ItemError, OutputError, TonearmError
from tonearm.errors.text import describe_exception
from tonearm.pipeline.converter import Converter
from tonearm.plugins.sink import Sink
from tonearm.run.store.pipe_sink import PipeSink, appends

_READER_LEFT = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class StreamPlace(ABC):
    """Place of a stream.

    Attributes
    ----------
    name
        Name for messages.
    sink
        Sink for the encoder.
    """

    name: str
    sink: Sink

    @abstractmethod
    def flush(self) -> None:
        """Let what was written leave, where it would wait in a buffer of ours."""

    @abstractmethod
    def publish(self) -> tuple[Path, ...]:
        """End the writing, and return the path of the file, if it has one."""

    @abstractmethod
    def discard(self) -> None:
        """Take back what can be taken back."""


class NamedPlace(StreamPlace):
    """A file of a name, which appears whole or not at all.

    Parameters
    ----------
    pipeline
        Pipeline with one output.
    folder
        Folder that the name is relative to.
    overwrite, durable
        As for `StreamFile`.
    """

    def __init__(self, pipeline: Converter, folder: str, *, overwrite: bool, durable: bool) -> None:
        from tonearm.run.stream_file import StreamFile  # not at the top: pipes need no store

        self._file = StreamFile(pipeline, folder, overwrite=overwrite, durable=durable)
        self.name = repr(str(self._file.path))
        self.sink = self._file.sink

    def flush(self) -> None:
        """Do nothing: nobody knows the file yet."""

    def publish(self) -> tuple[Path, ...]:
        """Give the file its name."""
        self._file.publish()
        return (self._file.path,)

    def discard(self) -> None:
        """Remove the temporary."""
        self._file.close()


class OpenPlace(StreamPlace):
    """An open file that can be changed: sound is written at its position, and its header is patched there.

    Parameters
    ----------
    file
        File.
    suffix
        Suffix of the format, with dot.
    durable
        Whether to flush the file to the disk at the end.
    """

    def __init__(self, file: BinaryIO, suffix: str, *, durable: bool) -> None:
        self.name = "an open file"
        self._file = file
        self._durable = durable
        self._part = _Part(file)
        self.sink = _OpenSink(self._part, suffix)

    def flush(self) -> None:
        """Do nothing: the file has a buffer of its own."""

    def publish(self) -> tuple[Path, ...]:
        """Leave the position of the file behind what was written."""
        if not self._part.end:
            raise ItemError("the encoder wrote nothing", code="nothing-written")
        self._part.seek(self._part.end)
        write_all(self._file, b"", durable=self._durable)
        return ()

    def discard(self) -> None:
        """Cut off what was written, if the file ended where it begins; leave it where it lies within a longer file."""
        self._part.take_back()


class PipePlace(StreamPlace):
    """A pipe: a socket, or an object that takes bytes.

    Parameters
    ----------
    take
        Function that takes bytes, all of them.
    suffix
        Suffix of the format, with dot.
    flush
        Function that lets bytes leave a buffer; None if there is none.
    """

    def __init__(self, take: Callable[[bytes], object], suffix: str, flush: Callable[[], object] | None = None) -> None:
        self.name = "a pipe"
        self._take = take
        self._flush = flush
        self._process = os.getpid()
        self.sink = PipeSink(self._pass_on, suffix)

    def _pass_on(self, content: memoryview) -> None:
        if os.getpid() == self._process:  # in a child, a library may write what it holds when it is cleaned up
            with _as_output_error():
                self._take(bytes(content))

    def flush(self) -> None:
        """Let bytes leave the buffer of the pipe."""
        if self._flush is not None:
            with _as_output_error():
                self._flush()

    def publish(self) -> tuple[Path, ...]:
        """Let the last bytes leave."""
        self.flush()
        return ()

    def discard(self) -> None:
        """Do nothing: what has left is gone."""


class _as_output_error:  # noqa: N801 - used as a statement
    """Turn errors of a pipe into an `OutputError`, with a code of its own if the reader has left."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        cause = error.__cause__ if isinstance(error, OutputError) else error
        if isinstance(cause, _READER_LEFT):
            raise OutputError("the reader of the stream has left", code="reader-left") from cause
        if isinstance(error, (OSError, ValueError)):
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise OutputError(f"cannot write to the pipe: {reason}") from error
        if isinstance(error, Exception) and not isinstance(error, TonearmError):  # of the user's own object
            raise OutputError(f"cannot write to the pipe: {describe_exception(error)}") from error


def place_of(destination: Destination, pipeline: Converter, *, overwrite: bool, durable: bool) -> StreamPlace:
    """Return the place of a stream.

    Parameters
    ----------
    destination
        Destination of a call.
    pipeline
        Pipeline of the call.
    overwrite, durable
        As for `save`.
    """
    target: Any = destination.opened
    if target is None:
        return NamedPlace(pipeline, destination.folder, overwrite=overwrite, durable=durable)
    if is_socket(target):
        return PipePlace(target.sendall, destination.suffix)
    if is_changeable(target):
        return OpenPlace(target, destination.suffix, durable=durable)
    buffered = isinstance(target, (io.BufferedWriter, io.BufferedRandom, io.BufferedRWPair))
    return PipePlace(
        lambda content: write_all(target, content, durable=False),
        destination.suffix,
        target.flush if buffered else None,
    )


def is_socket(target: object) -> bool:
    """Return whether an object is a socket. The module is not imported: who has a socket has done so."""
    module: Any = sys.modules.get("socket")
    return module is not None and isinstance(target, module.socket)


def is_changeable(target: Any) -> bool:
    """Return whether what was written to an open file can be changed: it is a regular file, or lies in memory.

    Files that only say so, such as compressed ones, go as pipes; and so do those that are open for appending.
    """
    inner = _within_temporary(target)
    if isinstance(inner, io.BytesIO):
        return True
    if not isinstance(inner, (io.BufferedWriter, io.BufferedRandom, io.FileIO)):
        return False
    raw: Any = getattr(inner, "raw", inner)
    if not isinstance(raw, io.FileIO) or "a" in raw.mode:
        return False
    return stat.S_ISREG(os.fstat(inner.fileno()).st_mode) and not appends(inner.fileno())


def _within_temporary(target: Any) -> Any:
    """Return the file within one of tempfile's; the module is not imported, as in `is_socket`."""
    module: Any = sys.modules.get("tempfile")
    if module is not None and isinstance(target, module.SpooledTemporaryFile):
        return target._file  # noqa: SLF001 - it has no other name
    if module is not None and isinstance(target, module._TemporaryFileWrapper):  # noqa: SLF001
        return target.file
    return target


class _Part(io.RawIOBase):
    """The part of an open file from its position on, as a file of its own that begins at 0."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begin = file.tell()
        self._process = os.getpid()
        file.seek(0, os.SEEK_END)
        self._was_at_end = file.tell() == self._begin
        file.seek(self._begin)
        self._at = 0
        self.end = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.end}[whence]
        self._at = base + offset
        self._file.seek(self._begin + self._at)
        return self._at

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        if os.getpid() != self._process:
            return view.nbytes
        write_all(self._file, bytes(view), durable=False)
        self._at += view.nbytes
        self.end = max(self.end, self._at)
        return view.nbytes

    def truncate(self, size: int | None = None, /) -> int:
        self.end = self._at if size is None else size
        if self._was_at_end:
            self._file.truncate(self._begin + self.end)
        return self.end

    def close(self) -> None:
        """Do nothing: the file stays open, and an encoder may open the part again."""

    def take_back(self) -> None:
        """Cut off what was written, if nothing lay behind it, and go back to where the part begins."""
        if os.getpid() == self._process and not self._file.closed:
            self._file.seek(self._begin)
            if self._was_at_end:
                self._file.truncate(self._begin)


class _OpenSink(Sink):
    """A sink that writes into an open file of the user's, and has no path."""

    def __init__(self, part: _Part, suffix: str) -> None:
        super().__init__("", suffix)
        self._part = part

    @property
    def path(self) -> Path:
        """Raise `ItemError`: the encoder wants a file of its own."""
        raise _no_path()

    def open(self) -> BinaryIO:
        """Return the part of the file, from its start."""
        self._part.seek(0)
        self._part.truncate(0)
        return cast("BinaryIO", self._part)

    def sidecar(self, suffix: str) -> NoReturn:  # noqa: ARG002 - as `Sink` has it
        """Raise `ItemError`: there is no place beside an open file."""
        raise _no_path()


def _no_path() -> ItemError:
    message = "it writes a file of its own, and cannot write into one that is open"
    return ItemError(message, code="needs-file", hint="give the path of the file")
