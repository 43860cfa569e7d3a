"""Publishing what was prepared: a record, then the name, then another record; in batches, and by one process alone.

Whatever is killed whenever, a file under its final name is whole, and the journal knows it. Only the run that holds the
lock publishes, so a worker that was given up can do no harm, wherever it still runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator

from tonearm.errors import ItemError
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.result import Result
from tonearm.run.store.history import PublishedFile, PublishedItems
from tonearm.run.store.journal import Journal
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.temporaries import cannot_write, discard, flush_folder, temporary_path

SYNC_EVERY = 1.0
"""Seconds after which new names and their records are on the disk."""

MAX_UNSYNCED_FOLDERS = 1024


class Publisher:
    """Gives prepared files their names.

    Parameters
    ----------
    root
        The output folder.
    journal
        Open, its lock held.
    names
        The names that are taken.
    fsync
        Whether records and names are flushed to the disk.
    """

    def __init__(self, root: str, journal: Journal, names: OutputNames, *, fsync: bool) -> None:
        self.root = root
        self.journal = journal
        self.names = names
        self._fsync = fsync
        self._items: dict[int, PublishedItems] = {}
        self._failed: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        self._folders: set[str] = set()
        self._synced = time.monotonic()

    def begin(self) -> None:
        """Have the journal's own name on the disk, and those of all folders above it: any of them may be new.

        Raises
        ------
        OutputError
            If that fails.
        """
        folder = os.path.realpath(os.path.dirname(self.journal.path)) if self._fsync else ""
        while folder:
            flush_folder(folder)
            parent = os.path.dirname(folder)
            folder = parent if parent != folder and not os.path.ismount(folder) else ""

    def keep(self, number: int, items: PublishedItems) -> None:
        """Note the items of a source that are there already; whoever was killed may not have flushed their names."""
        if items:
            self._items[number] = dict(items)
            for files in items.values():
                for output, _size, _hash in files:
                    self._note_folder(os.path.dirname(output))

    def publish(self, batch: list[PreparedSource]) -> Generator[Result, None, None]:
        """Publish a batch; yield what became of each source in it. Go through to the end, or the rest is not published.

        Raises
        ------
        OutputError
            If the output side fails. What was published stays; no temporaries of the batch are left.
        """
        waiting = [file for prepared in batch for item in prepared.items for file in item.files]
        whole = False
        try:
            admitted = [self._admit(prepared) for prepared in batch]
            for prepared, items, _failures in admitted:
                self._begin(prepared, items)
            if self._fsync and waiting:
                # The records are on the disk before the first name is: a file that is there is known.
                self.journal.flush()
            for one in admitted:
                yield self._finish(*one)
            whole = True
        finally:
            if not whole:
                discard(self.root, waiting)
        if time.monotonic() - self._synced > SYNC_EVERY or len(self._folders) > MAX_UNSYNCED_FOLDERS:
            self.sync()

    def _admit(self, prepared: PreparedSource) -> tuple[PreparedSource, list[ConvertedItem], list[Failure]]:
        """Take the names; an item that cannot have its own fails."""
        items, failures = [], list(prepared.failures)
        task = prepared.task
        for item in prepared.items:
            try:
                for file in item.files:
                    self.names.take(file.output, task.number, task.name, task.path)
                items.append(item)
            except ItemError as error:
                discard(self.root, item.files)
                failures.append(Failure(task.name, item.key, item.index, error.code, error.message, error.hint))
        return prepared, items, failures

    def _begin(self, prepared: PreparedSource, items: list[ConvertedItem]) -> None:
        for item in items:
            for file in item.files:
                self.journal.write(
                    "begin",
                    output=file.output,
                    size=file.size,
                    hash=file.hash,
                    source=prepared.task.path,
                    folder=prepared.task.folder,
                    state=prepared.state,
                    key=item.key,
                    index=item.index,
                    files=len(item.files),
                )

    def _finish(self, prepared: PreparedSource, items: list[ConvertedItem], failures: list[Failure]) -> Result:
        task = prepared.task
        number = task.number
        warnings = list(prepared.warnings)
        there = self._items.setdefault(number, {})
        for item in items:
            # What lies beside a file stands behind it, and gets its name before it: a file that is there has all of it.
            there[item.key, item.index] = [self._rename(file) for file in reversed(item.files)][::-1]
            warnings += item.warnings
            self.journal.write(
                "out",
                source=task.path,
                folder=task.folder,
                key=item.key,
                index=item.index,
                outputs=[(file.output, file.size) for file in item.files],
                measured=item.measured,
                warnings=item.warnings,
            )
        for failure in failures:
            self.journal.write(
                "err",
                source=task.path,
                folder=task.folder,
                key=failure.key,
                index=failure.index,
                code=failure.code,
                message=failure.message,
                hint=failure.hint,
            )
        failed = self._failed.pop(number, 0) + len(failures)
        seconds = self._seconds.pop(number, 0.0) + prepared.seconds
        if prepared.last:
            self.journal.write(
                "end",
                source=task.path,
                folder=task.folder,
                state=prepared.state,
                hash=prepared.hash,
                items=[(*name, files) for name, files in there.items()],
                failed=failed,
                seconds=round(seconds, 6),
            )
            self._items.pop(number)
        else:
            self._failed[number], self._seconds[number] = failed, seconds
        return Result(
            source=task.name,
            items=tuple(items),
            failures=tuple(failures),
            warnings=tuple(warnings),
            seconds=prepared.seconds,
            last=prepared.last,
        )

    def _rename(self, file: PreparedFile) -> PublishedFile:
        target = os.path.join(self.root, file.output)
        try:
            os.replace(temporary_path(self.root, file), target)
        except OSError as error:
            raise cannot_write(target, error) from error
        self._note_folder(os.path.dirname(file.output))
        return file.output, file.size, file.hash

    def _note_folder(self, folder: str) -> None:
        """Note a folder and those above it, up to the root: any of them may be new."""
        while folder not in self._folders:
            self._folders.add(folder)
            folder = os.path.dirname(folder)

    def sync(self) -> None:
        """Have all records and names on the disk.

        Raises
        ------
        OutputError
            If that fails.
        """
        folders, self._folders = self._folders, set()
        if self._fsync:
            self.journal.flush()
            for folder in folders:
                flush_folder(os.path.join(self.root, folder))
        if folders:
            self.journal.write("sync")
        self._synced = time.monotonic()
