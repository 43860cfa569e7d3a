"""The journal: what became of each item, one JSON line at a time, so that a second run does only what is missing.

``<out>/.tonearm/journal.jsonl`` is only ever appended to, each record in one ``write``. A line that was torn when a run
was killed is healed by the next, and skipped when read. A shard has a journal and a lock of its own.

``run``
    a run begins: time, pipeline fingerprint, plugins with versions. What follows belongs to it.
``begin``
    a whole file is about to get its name: output, size, hash, and the source and item that it was made of.
``out``
    an item is published: its outputs, measurements, warnings.
``err``
    an item failed: code, message, hint.
``end``
    a source is through: its state and hash, all of its items that are there, how many failed.
``sync``
    the names of all outputs so far are on the disk.
``stop``
    a run ended, and left no temporaries.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from typing import Any

import msgspec

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.run_folder import journal_path

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_encode_quickly = msgspec.json.Encoder().encode


class Journal:
    """The journal of one run, open for appending; the caller holds the lock.

    Parameters
    ----------
    root
        The output folder.
    part
        Which part of the work the run does; None for all of it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, root: str, part: Part | None = None) -> None:
        self.path = journal_path(root, part)
        try:
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            end = os.lseek(self.descriptor, 0, os.SEEK_END)
            # A line that a killed run left without its end gets one before the next.
            self._torn = bool(end) and os.pread(self.descriptor, 1, end - 1) != b"\n"
        except OSError as error:
            raise _cannot_write(error) from error

    def write(self, record: str, **values: Any) -> None:
        """Append one record.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        line = _line({"record": record, **values})
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self.descriptor, line)
            self._torn = written != len(line)
            if self._torn:
                # A disk that is full takes half a line; the next write says why.
                self._torn = os.write(self.descriptor, line[written:]) != len(line) - written
            if self._torn:
                raise OSError(errno.EIO, "it takes no whole line")
        except OSError as error:
            raise _cannot_write(error) from error

    def flush(self) -> None:
        """Have all records on the disk.

        Raises
        ------
        OutputError
            If that fails.
        """
        try:
            os.fdatasync(self.descriptor)
        except OSError as error:
            raise _cannot_write(error) from error

    @property
    def size(self) -> int:
        """In bytes.

        Raises
        ------
        OutputError
            If its file cannot be asked.
        """
        try:
            return os.fstat(self.descriptor).st_size
        except OSError as error:
            raise _cannot_write(error) from error

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def _line(record: dict[str, Any]) -> bytes:
    """Return a record as a line of ASCII."""
    try:
        line = _encode_quickly(record)
        if line.isascii():
            return line + b"\n"
    except (UnicodeEncodeError, OverflowError):  # a name that is not UTF-8, a number beyond 64 bits
        pass
    return _encode(record).encode("ascii") + b"\n"


def _cannot_write(error: OSError) -> OutputError:
    return OutputError(f"cannot write the journal: {(error.strerror or str(error)).lower()}")
