"""Publishing files: written beside their final names, flushed, and each given its name by one rename.

Whatever is killed whenever, a file under its final name is whole, and the journal knows it. What is left over has a
name that says whose it is, and the next run that writes into the folder sweeps it away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from tonearm.batch.journal import Journal
from tonearm.contract import Sink
from tonearm.errors import OutputError, one_line

PREFIX = ".tonearm-"
SUFFIX = ".part"


class Publication:
    """The outputs of one item: all are written before the first is published.

    Use it as a context manager; whatever was not published is removed at its end.

    Parameters
    ----------
    root
        The output folder.
    journal
        Takes a record of each file before it gets its name; None where there is no run, but one file.
    fsync
        Whether files are flushed to the disk before that.
    """

    def __init__(self, root: Path, journal: Journal | None, *, fsync: bool) -> None:
        self._root = root
        self._journal = journal
        self._fsync = fsync
        self._sinks: list[tuple[Sink, Path]] = []

    def __enter__(self) -> Publication:
        return self

    def __exit__(self, *_: object) -> None:
        for sink, _target in self._sinks:
            for leftover in (sink.path, *sink.sidecars.values()):
                with contextlib.suppress(OSError):
                    leftover.unlink(missing_ok=True)

    def sink(self, target: Path) -> Sink:
        """Return where to write the output that goes to ``target`` below the root.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        folder = (self._root / target).parent
        path = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise cannot_write(self._root / target, error) from error
        sink = Sink(path, target.suffix)
        self._sinks.append((sink, target))
        return sink

    def publish(self) -> list[tuple[str, int]]:
        """Give every file its name; return their paths below the root, with their sizes in bytes.

        Raises
        ------
        OutputError
            If that fails; what was published before stays.
        """
        files = []
        for sink, target in self._sinks:
            files.append((sink.path, target))
            files += [(path, target.with_suffix(suffix)) for suffix, path in sink.sidecars.items()]
        return [self._publish(path, target) for path, target in files]

    def _publish(self, path: Path, target: Path) -> tuple[str, int]:
        name = target.as_posix()
        try:
            with path.open("rb") as file:
                if self._fsync:
                    os.fsync(file.fileno())
                size, digest = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
            if self._journal:
                self._journal.write("begin", output=name, size=size, hash=digest)
            path.replace(self._root / target)
        except OSError as error:
            raise cannot_write(self._root / target, error) from error
        return name, size


def sweep(folder: Path) -> None:
    """Remove what a killed run left in a folder; the caller holds the lock."""
    for leftover in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that cannot be written."""
    return OutputError(f"cannot write {one_line(path)}: {(error.strerror or str(error)).lower()}")
