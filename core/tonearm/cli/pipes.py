"""The ends of pipes that a command holds: sound comes and leaves byte by byte, and waiting for others is no hang.

A producer that is silent and a player that is slow are no fault of the command. So it gives signs of life while it
waits for them, and its ceiling is for its own work.
"""

from __future__ import annotations

import errno
import functools
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from tonearm.cli import console
from tonearm.errors import ItemError, OutputError, UsageError, one_line
from tonearm.reading import file_types
from tonearm.startup import READER_LEFT, Terminated
from tonearm.system import HAS_POSIX, OPEN_FLAGS, path_to, unnamed_file

CHUNK = 1 << 16
"""Largest number of bytes that are read at once: the size of a pipe."""

INTERVAL = 1.0
"""Seconds of waiting between two signs of life."""

MAX_IN_MEMORY = 16 << 20
"""Largest number of bytes of a source that are kept in memory; the rest goes into a file without a name."""

_OPEN_INTERVAL = 0.05  # seconds between two looks for the reader of a named pipe
_FOLDERS = ("/dev/fd/", "/proc/self/fd/")
_STANDARD = {"-": 0, "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_NAMES = {0: "standard input", 1: "standard output"}
_LEFT = (errno.EPIPE, errno.ECONNRESET)

Alive = Callable[[], None]
"""Function that gives a sign of life."""


class InputPipe:
    """A source that comes through a pipe.

    Parameters
    ----------
    name
        Name as the user gave it: ``-``, ``/dev/stdin``, ``/dev/fd/63`` or that of a named pipe.
    alive
        Function that gives a sign of life.

    Attributes
    ----------
    name
        Name for messages.
    output
        Pipe that takes the sound. Once nobody reads it, nothing more is read here.
    """

    def __init__(self, name: str, alive: Alive) -> None:
        number = _number_of(name, 0)
        self.name = _shown(name, number)
        self.output: OutputPipe | None = None
        self._alive = alive
        self._name, self._number = name, number
        self._head: bytes | None = None

    @functools.cached_property
    def _descriptor(self) -> int:
        """Descriptor that is read. Nothing is opened before something is read."""
        try:
            _check_open(self._number == 0 and sys.stdin is None)
            descriptor = _opened(self._name, os.O_RDONLY) if self._number is None else os.dup(self._number)
            if self._number == 0:  # programs that are started must not take what comes
                _redirect_to_null(0)
        except OSError as error:
            raise self._unreadable(error) from error
        if os.isatty(descriptor):
            raise UsageError(f"{self.name} is a terminal", hint="pipe sound into it: program | tonearm convert - DST")
        return descriptor

    def head(self) -> bytes:
        """Return the first bytes, by which the format is told. They stay in front of what `chunks` yields.

        Raises
        ------
        UsageError
            If the pipe is a terminal.
        ItemError
            If they cannot be read.
        """
        if self._head is None:
            found = b""
            while len(found) < file_types.HEAD and (more := self._read(file_types.HEAD - len(found))):
                found += more
            self._head = found
        return self._head

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they come.

        Raises
        ------
        ItemError
            If they cannot be read.
        """
        if self._head:
            yield self._head
        while chunk := self._read(CHUNK):
            yield chunk

    def collected(self) -> str:
        """Return the path of a file that has all bytes. It lives as long as this process, and has no name if possible.

        Raises
        ------
        ItemError
            If they cannot be read.
        OutputError
            If they cannot be kept.
        """
        descriptor, size = _memory_file(), 0
        try:
            for chunk in self.chunks():
                if size <= MAX_IN_MEMORY < size + len(chunk):
                    descriptor = _moved_to_disk(descriptor)
                _write_all(descriptor, chunk)
                size += len(chunk)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutputError(
                f"cannot keep what comes from {self.name}: {reason}", hint="TMPDIR names the folder of temporary files"
            ) from error
        return path_to(descriptor)

    def _read(self, size: int) -> bytes:
        """Return the next bytes, at least one; none at the end."""
        while True:
            self._wait()
            try:
                return os.read(self._descriptor, size)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._unreadable(error) from error

    def _wait(self) -> None:
        """Wait for bytes or the end, with signs of life; the end of the reader of the output ends the command.

        Windows cannot wait for a pipe. There the call that reads waits, without a sign of life.
        """
        if not HAS_POSIX:
            self._alive()
            return
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        if self.output is not None:
            waiting.register(self.output.descriptor, 0)
        while True:
            self._alive()
            for descriptor, event in waiting.poll(INTERVAL * 1000):
                if descriptor == self._descriptor:
                    return
                if event & select.POLLERR:
                    raise Terminated(READER_LEFT)

    def _unreadable(self, error: OSError) -> ItemError:
        reason = (error.strerror or str(error)).lower()
        return ItemError(f"cannot read {self.name}: {reason}", code="unreadable")


class OutputPipe:
    """A target that is a pipe: standard output, or a named one.

    Parameters
    ----------
    name
        Name as the user gave it.
    alive
        Function that gives a sign of life.

    Attributes
    ----------
    name
        Name for messages.
    descriptor
        Descriptor of the end that is written.

    Raises
    ------
    UsageError
        If it is a terminal, or the stream of messages.
    OutputError
        If it cannot be opened.
    """

    def __init__(self, name: str, alive: Alive) -> None:
        number = _number_of(name, 1)
        self.name = _shown(name, number)
        self._alive = alive
        if number == 2:
            raise UsageError(f"{self.name} is the stream of messages", code="stream-refused", hint="write to -")
        try:
            _check_open(number == 1 and console.stdout_is_closed)
            if number is None:
                self.descriptor = self._open_named(name)
            else:  # descriptor 1 is that of messages by now
                self.descriptor = os.dup(console.data().fileno() if number == 1 else number)
        except OSError as error:
            self._fail(error)
        if os.isatty(self.descriptor):
            raise UsageError(f"{self.name} is a terminal, which cannot show sound", hint="pipe it, or name a file")
        self._is_file = stat.S_ISREG(os.fstat(self.descriptor).st_mode)

    def write(self, data: memoryview) -> None:
        """Write all of some bytes.

        Raises
        ------
        Terminated
            If nobody reads them any more.
        OutputError
            If they cannot be written.
        """
        at = 0
        while at < len(data):
            # That many bytes never block once the pipe takes any.
            end = len(data) if self._is_file else at + getattr(select, "PIPE_BUF", CHUNK)
            self._wait()
            try:
                at += os.write(self.descriptor, data[at:end])
            except BlockingIOError:
                continue
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        """Close the pipe, so that its reader sees the end."""
        os.close(self.descriptor)

    def _wait(self) -> None:
        """Wait until the pipe takes bytes, with signs of life; Windows waits in the call that writes."""
        if not HAS_POSIX:
            self._alive()
            return
        waiting = select.poll()
        waiting.register(self.descriptor, select.POLLOUT)
        self._alive()
        while not waiting.poll(INTERVAL * 1000):
            self._alive()

    def _open_named(self, name: str) -> int:
        """Return the descriptor of a named pipe, as soon as somebody reads it."""
        while True:
            try:
                return _opened(name, os.O_WRONLY)
            except OSError as error:
                if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(name).st_mode):  # noqa: PTH116
                    raise
            self._alive()
            time.sleep(_OPEN_INTERVAL)

    def _fail(self, error: OSError) -> NoReturn:
        if error.errno in _LEFT:
            raise Terminated(READER_LEFT) from error
        raise OutputError(f"cannot write to {self.name}: {(error.strerror or str(error)).lower()}") from error


def _number_of(name: str, standard: int) -> int | None:
    """Return the number of the descriptor that a name stands for; None if it is one of a file.

    Parameters
    ----------
    name
        Name.
    standard
        What ``-`` stands for.
    """
    if name == "-":
        return standard
    for folder in _FOLDERS:
        if name.startswith(folder) and name.removeprefix(folder).isdecimal():
            return int(name.removeprefix(folder))
    return _STANDARD.get(name)


def _shown(name: str, number: int | None) -> str:
    """Return the name of an end for messages, given the number of its descriptor."""
    return one_line(name) if number is None else _NAMES.get(number, one_line(name))


def _opened(name: str, mode: int) -> int:
    """Return a descriptor of a named pipe. Nothing blocks, not even opening it."""
    return os.open(name, mode | OPEN_FLAGS)


def _check_open(is_closed: bool) -> None:
    """Raise `OSError` for a standard stream that the process was started without, as by ``<&-`` in a shell."""
    if is_closed:
        raise OSError(errno.EBADF, "it is closed")


def _redirect_to_null(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, descriptor)
    os.close(null)


def _memory_file() -> int:
    """Return a file in memory, or one on the disk where the system has none in memory."""
    with unnamed_file("source") as file:
        return os.dup(file.fileno())


def _disk_file() -> int:
    """Return a file without a name in the folder of temporary files."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _moved_to_disk(descriptor: int) -> int:
    """Return a file on the disk with the content of one in memory, whose end has been reached."""
    target = _disk_file()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while chunk := os.read(descriptor, 1 << 20):
        _write_all(target, chunk)
    os.close(descriptor)
    return target


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
