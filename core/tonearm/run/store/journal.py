"""The journal of a run: what happened to each item, so that a second run does only what is missing.

``<out>/.tonearm/journal.jsonl`` is only appended to, and each record is written by one ``write``. If a run is killed in
the middle of a line, the next record starts on a new line, and readers skip the torn one. `tonearm.run.store.records`
lists the records.
"""

from __future__ import annotations

import contextlib
import errno
import os

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.records import Record, encode_record
from tonearm.run.store.run_folder import journal_path


class Journal:
    """The journal of one run, open for appending. The caller holds the lock.

    Parameters
    ----------
    root
        Output folder.
    part
        Part of the sources that the run converts; None for all.

    Raises
    ------
    OutputError
        If the journal cannot be written.
    """

    def __init__(self, root: str, part: Part | None = None) -> None:
        self.path = journal_path(root, part)
        try:
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            end = os.lseek(self.descriptor, 0, os.SEEK_END)
            # A line that a killed run left without a newline gets one before the next record.
            self._torn = bool(end) and os.pread(self.descriptor, 1, end - 1) != b"\n"
        except OSError as error:
            raise _cannot_write(error) from error

    def write(self, record: Record) -> None:
        """Append a record.

        Raises
        ------
        OutputError
            If the journal cannot be written.
        """
        line = encode_record(record)
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self.descriptor, line)
            self._torn = written != len(line)
            if self._torn:
                # A full disk takes half a line. Writing the rest raises the reason.
                self._torn = os.write(self.descriptor, line[written:]) != len(line) - written
            if self._torn:
                raise OSError(errno.EIO, "it takes no whole line")
        except OSError as error:
            raise _cannot_write(error) from error

    def flush(self) -> None:
        """Flush all records to the disk.

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
        """Size of the journal in bytes.

        Raises
        ------
        OutputError
            If the size cannot be read.
        """
        try:
            return os.fstat(self.descriptor).st_size
        except OSError as error:
            raise _cannot_write(error) from error

    def close(self) -> None:
        """Close the journal."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def _cannot_write(error: OSError) -> OutputError:
    return OutputError(f"cannot write the journal: {(error.strerror or str(error)).lower()}")
