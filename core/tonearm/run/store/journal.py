"""The journal of a run: what happened to each item, so that a second run does only what is missing.

The journal is only appended to, and each record is written in one piece. If a run is killed in the middle of a line,
the next record starts on a new line, and readers skip the torn one. `tonearm.run.store.records` lists the records.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator

from tonearm.errors import OutputError
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.store.records import Record, RunRecord, decode_record, encode_record, line_start
from tonearm.run.store.run_folder import NEW_JOURNAL
from tonearm.run.store.store import JournalFile, Store
from tonearm.run.store.tree import Tree, close_quietly, reason_of
from tonearm.system import read_at

RESERVED_BYTES = 1 << 14
"""Space in bytes that is reserved for a journal: for the records of a dozen files."""

_FULL = (errno.ENOSPC, errno.EDQUOT)

_OFFSET_BITS = 48


def position_of(journal: int, offset: int) -> int:
    """Return the position of a record: the number of its journal in 16 bits, and the offset within it in 48."""
    return journal << _OFFSET_BITS | offset


def place_at(position: int) -> tuple[int, int]:
    """Return the number of the journal, and the offset within it, of a position."""
    return position >> _OFFSET_BITS, position & ((1 << _OFFSET_BITS) - 1)


class Journal:
    """The journal of one run, open for appending.

    Parameters
    ----------
    file
        File that an open store gave.
    """

    def __init__(self, file: JournalFile) -> None:
        self.file = file
        self.name = file.name

    def write(self, *records: Record) -> None:
        """Append records, at once.

        Raises
        ------
        OutputError
            If the journal cannot be written. Some of the records may have been.
        """
        self.file.append(b"".join(map(encode_record, records)))


class JournalReader:
    """A reader of the records of a journal, or of a section of one.

    Iterating yields each record with its offset.

    Parameters
    ----------
    store
        Store.
    name
        Name of the journal.
    start, end
        Offsets of the section.
    skip
        Class of records that are left out without being decoded.

    Attributes
    ----------
    end
        Offset behind the last line that was read.
    nonsense
        Number of lines so far that are no records.
    """

    def __init__(
        self, store: Store, name: str, start: int = 0, end: int | None = None, *, skip: type[Record] | None = None
    ) -> None:
        self._store = store
        self._name = name
        self._start = start
        self._limit = end
        self._skipped_start = line_start(skip) if skip else b"\n"
        self.end = start
        self.nonsense = 0

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        """Yield the records with their offsets.

        Raises
        ------
        OutputError
            If the journal cannot be read.
        OtherJournalError
            If another version of tonearm wrote it.
        """
        for line in self._store.read_journal(self._name, self._start):
            offset = self.end
            if self._limit is not None and offset >= self._limit:
                break
            self.end += len(line)
            if line.startswith(self._skipped_start):
                continue
            record = decode_record(line)
            if record is not None:
                yield offset, record
            elif line.strip():
                self.nonsense += 1


def runs_in_order(store: Store, journals: list[str]) -> list[tuple[int, int, int | None]]:
    """Return the runs that journals tell of, in the order in which they began.

    Parts and whole runs have separate journals. The last run that did a source decides what is known about it.

    Returns
    -------
    list of (number, start, end)
        Number of the journal, and offsets of the run's first record and of the first record after it.
    """
    if len(journals) == 1:
        return [(0, 0, None)]
    found: list[tuple[float, int, int, int | None]] = []
    for number, name in enumerate(journals):
        time, start, offset = 0.0, 0, 0
        for line in store.read_journal(name):
            record = decode_record(line) if b'"run"' in line[:32] else None
            if isinstance(record, RunRecord):
                if offset:
                    found.append((time, number, start, offset))
                start = offset
                # Within a journal the order is certain, even if the clock was set back.
                time = max(time, record.time)
            offset += len(line)
        found.append((time, number, start, None))
    return [run[1:] for run in sorted(found)]


class LocalJournalFile(JournalFile):
    """A journal in a folder of this machine. The caller holds the lock.

    While it is open, some space of the disk is reserved for it. When the disk is full, that space holds the records of
    what is published last.

    Parameters
    ----------
    tree
        Output folder.
    name
        Path of the journal below it.

    Raises
    ------
    OutputError
        If the journal cannot be written.
    """

    def __init__(self, tree: Tree, name: str) -> None:
        self.name = name
        self._tree = tree
        self._reserve = f"{name.removesuffix('.jsonl')}.reserve"
        try:
            self.descriptor = tree.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            if not stat.S_ISREG(os.fstat(self.descriptor).st_mode):
                close_quietly(self.descriptor)
                raise OSError(errno.EINVAL, f"{name} is no regular file")
            end = os.lseek(self.descriptor, 0, os.SEEK_END)
            # A line that a killed run left without a newline gets one before the next record.
            self._torn = bool(end) and read_at(self.descriptor, 1, end - 1) != b"\n"
        except OSError as error:
            raise _cannot_write(error) from error
        self._has_reserve = self._take_reserve()

    def _take_reserve(self) -> bool:
        """Take up some space, and return whether there is any."""
        try:
            descriptor = self._tree.open(self._reserve, os.O_WRONLY | os.O_CREAT)
        except OSError:
            return False
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, RESERVED_BYTES)
            else:
                os.write(descriptor, bytes(RESERVED_BYTES))
        except OSError:  # the disk is full already
            pass
        close_quietly(descriptor)
        return True

    def _free_reserve(self) -> bool:
        """Free the reserved space, and return whether there was any."""
        had, self._has_reserve = self._has_reserve, False
        if had:
            self._tree.remove(self._reserve)
        return had

    def append(self, lines: bytes) -> None:
        """Append lines with their newlines, in one piece."""
        rest = b"\n" + lines if self._torn else lines
        try:
            while rest:
                try:
                    written = os.write(self.descriptor, rest)
                except OSError as error:
                    if error.errno in _FULL and self._free_reserve():
                        continue
                    raise
                rest = rest[written:]
                self._torn = bool(rest)  # a full disk takes half a line; writing the rest raises the reason
                if not written:
                    raise OSError(errno.EIO, "it takes no whole line")
        except OSError as error:
            raise _cannot_write(error) from error

    def flush(self) -> None:
        """Flush all lines to the disk."""
        try:
            getattr(os, "fdatasync", os.fsync)(self.descriptor)
        except OSError as error:
            raise _cannot_write(error) from error

    @property
    def size(self) -> int:
        """Size of the journal in bytes."""
        try:
            return os.fstat(self.descriptor).st_size
        except OSError as error:
            raise _cannot_write(error) from error

    def close(self) -> None:
        """Close the journal."""
        self._free_reserve()
        close_quietly(self.descriptor)
        self.descriptor = -1  # its number may be another file's now


def replace_local_journal(tree: Tree, name: str, lines: Iterable[bytes]) -> None:
    """Replace a journal in a folder of this machine, in one step. The caller holds the lock.

    Raises
    ------
    OutputError
        If the journal cannot be written. The old one stays.
    """
    try:
        tree.remove(NEW_JOURNAL)  # a merge may have been killed
        descriptor = tree.open(NEW_JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with open(descriptor, "wb", buffering=1 << 20) as file:
                file.writelines(lines)
                file.flush()
                os.fsync(descriptor)
            tree.rename(NEW_JOURNAL, name)
        except BaseException:
            tree.remove(NEW_JOURNAL)
            raise
        tree.flush(RESERVED_PREFIX)
    except OSError as error:
        raise _cannot_write(error) from error


def _cannot_write(error: OSError) -> OutputError:
    return OutputError(f"cannot write the journal: {reason_of(error)}")
