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
import fcntl
import json
import os
from typing import Any

import msgspec

from tonearm.errors import OutputError, TonearmError, one_line

FOLDER = ".tonearm"

Shard = tuple[int, int]
"""Which part of how many, counted from 1."""

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_encode_quickly = msgspec.json.Encoder().encode


class LockedError(TonearmError):
    """Another run holds the output folder (exit status 11)."""

    default_code = "locked"


def _suffix(shard: Shard | None) -> str:
    return f"-{shard[0]}-of-{shard[1]}" if shard else ""


def journal_path(root: str, shard: Shard | None = None) -> str:
    """Return where the journal below an output root is."""
    return os.path.join(root, FOLDER, f"journal{_suffix(shard)}.jsonl")


def mark_of(shard: Shard | None) -> str:
    """Return the four hex digits with which the temporaries of a run begin.

    Shards that write into one folder have their own, up to 361 parts whatever their numbers, beyond if those agree.
    """
    return f"{shard[1] * (shard[1] - 1) // 2 + shard[0] & 0xFFFF:04x}" if shard else "0000"


class Lock:
    """The lock of an output folder, which one run, or one run for each shard, may hold at a time.

    The kernel frees it when its holder dies, however that happens. A whole run holds ``lock`` alone; shards hold it
    together, and each a lock of its own.

    Parameters
    ----------
    root
        The output folder.
    shard
        Which part of the work the run does; None for all of it.
    """

    def __init__(self, root: str, shard: Shard | None = None) -> None:
        self.root = root
        self.shard = shard
        self.warning = ""
        self._held: list[int] = []

    @property
    def descriptors(self) -> list[int]:
        """Open files that hold the lock; a worker closes them, or it would hold it on."""
        return list(self._held)

    @property
    def is_held(self) -> bool:
        """Whether it is."""
        return bool(self._held)

    def take(self, *, make: bool) -> None:
        """Take it.

        Parameters
        ----------
        make
            Make folder and file if they are not there; else, where they are not, nothing is held.

        Raises
        ------
        LockedError
            If another run holds it.
        OutputError
            If the folder cannot be written.
        """
        wanted = [("lock", fcntl.LOCK_SH if self.shard else fcntl.LOCK_EX)]
        if self.shard:
            wanted.append((f"lock{_suffix(self.shard)}", fcntl.LOCK_EX))
        for name, kind in wanted[len(self._held) :]:
            path = os.path.join(self.root, FOLDER, name)
            try:
                if make:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0), 0o666)
            except OSError as error:
                if not make:
                    return
                reason = (error.strerror or str(error)).lower()
                raise OutputError(f"cannot write to {one_line(self.root)}: {reason}", hint="--out DIR") from error
            self._held.append(descriptor)
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                raise LockedError(
                    f"another run holds {one_line(self.root)}", hint="wait until it has ended, or use another --out"
                ) from error
            except OSError as error:
                self.warning = (
                    f"{one_line(self.root)} is on a file system without locks ({error.strerror}): "
                    "see to it that no other run writes there"
                )

    def release(self) -> None:
        """Let go of it."""
        for descriptor in self._held:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._held = []


def holders(root: str) -> list[int]:
    """Return the processes that hold locks of an output folder; only Linux says so. It takes no lock itself."""
    folder = os.path.join(root, FOLDER)
    try:
        with os.scandir(folder) as entries:
            locks = [entry.stat() for entry in entries if entry.name.startswith("lock")]
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file if " FLOCK " in line and "->" not in line]
    except OSError:
        return []
    wanted = {f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}" for lock in locks}
    return sorted({int(words[4]) for words in lines if words[5] in wanted})


class Journal:
    """The journal of one run, open for appending; the caller holds the lock.

    Parameters
    ----------
    root
        The output folder.
    shard
        Which part of the work the run does; None for all of it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, root: str, shard: Shard | None = None) -> None:
        self.path = journal_path(root, shard)
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
