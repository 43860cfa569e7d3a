"""Publishing: each file gets a record, then its final name, then another record.

Whatever is killed at any moment, a file under its final name is whole and the journal knows it. Only the run that holds
the lock publishes, so a worker that was given up can do no harm, wherever it still runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator

from tonearm.errors import ItemError
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.result import Result
from tonearm.run.store.history import PublishedItems
from tonearm.run.store.journal import Journal
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.records import BeginRecord, EndRecord, ErrRecord, OutRecord, PublishedFile, SyncRecord
from tonearm.run.store.temporaries import discard, flush_folder, rename_temporary

SYNC_EVERY = 1.0
"""Seconds after which new names and their records are flushed to the disk."""

MAX_UNSYNCED_FOLDERS = 1024
"""Number of folders with new names that are flushed before the time has come."""


class Publisher:
    """Renames prepared files to their final names.

    Parameters
    ----------
    root
        Output folder.
    journal
        Open journal, whose lock is held.
    names
        Names of outputs that are taken.
    fsync
        Whether to flush records and names to the disk.
    """

    def __init__(self, root: str, journal: Journal, names: OutputNames, *, fsync: bool) -> None:
        self.root = root
        self.journal = journal
        self.names = names
        self._fsync = fsync
        self._items: dict[int, PublishedItems] = {}
        self._failed: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        self._unsynced_folders: set[str] = set()
        self._synced_at = time.monotonic()

    def begin(self) -> None:
        """Flush the names of the journal and of all folders above it, because any of them may be new.

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
        """Keep the items of a source that an earlier run published.

        If that run was killed, their names may not have been flushed, so they are flushed with the new ones.
        """
        if items:
            self._items[number] = dict(items)
            for files in items.values():
                for output, _size, _hash in files:
                    self._note_folder(os.path.dirname(output))

    def publish(self, batch: list[PreparedSource]) -> Generator[Result, None, None]:
        """Publish a batch and yield the result of each source in it.

        Sources are published as the results are consumed. If the generator is closed early, the rest is discarded.

        Raises
        ------
        OutputError
            If the output side fails. What was published stays, and no temporaries of the batch are left.
        """
        waiting = [file for prepared in batch for item in prepared.items for file in item.files]
        complete = False
        try:
            admitted = [self._admit(prepared) for prepared in batch]
            for prepared, items, _failures in admitted:
                self._begin(prepared, items)
            if self._fsync and waiting:
                # The records reach the disk before the first name does, so that every file that exists is known.
                self.journal.flush()
            for one in admitted:
                yield self._finish(*one)
            complete = True
        finally:
            if not complete:
                discard(self.root, waiting)
        if time.monotonic() - self._synced_at > SYNC_EVERY or len(self._unsynced_folders) > MAX_UNSYNCED_FOLDERS:
            self.sync()

    def _admit(self, prepared: PreparedSource) -> tuple[PreparedSource, list[ConvertedItem], list[Failure]]:
        """Take the names of all files. An item whose name is taken fails."""
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
                    BeginRecord(
                        output=file.output,
                        size=file.size,
                        hash=file.hash,
                        source=prepared.task.source_id,
                        folder=prepared.task.folder,
                        state=prepared.state,
                        key=item.key,
                        index=item.index,
                        files=len(item.files),
                    )
                )

    def _finish(self, prepared: PreparedSource, items: list[ConvertedItem], failures: list[Failure]) -> Result:
        task = prepared.task
        number, source, folder = task.number, task.source_id, task.folder
        warnings = list(prepared.warnings)
        published = self._items.setdefault(number, {})
        for item in items:
            # Sidecars come after their file and are renamed before it: a file that exists has all of its sidecars.
            published[item.key, item.index] = [self._rename(file) for file in reversed(item.files)][::-1]
            warnings += item.warnings
            self.journal.write(
                OutRecord(
                    source=source,
                    folder=folder,
                    key=item.key,
                    index=item.index,
                    outputs=[(file.output, file.size) for file in item.files],
                    measured=item.measured,
                    warnings=item.warnings,
                )
            )
        for failure in failures:
            self.journal.write(
                ErrRecord(
                    source=source,
                    folder=folder,
                    key=failure.key,
                    index=failure.index,
                    code=failure.code,
                    message=failure.message,
                    hint=failure.hint,
                )
            )
        failed = self._failed.pop(number, 0) + len(failures)
        seconds = self._seconds.pop(number, 0.0) + prepared.seconds
        if prepared.last:
            self.journal.write(
                EndRecord(
                    source=source,
                    folder=folder,
                    state=prepared.state,
                    hash=prepared.hash,
                    items=[(*item_id, files) for item_id, files in published.items()],
                    failed=failed,
                    seconds=round(seconds, 6),
                )
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
        rename_temporary(self.root, file)
        self._note_folder(os.path.dirname(file.output))
        return file.output, file.size, file.hash

    def _note_folder(self, folder: str) -> None:
        """Note that a folder has new names. The folders above it up to the root may be new, too."""
        while folder not in self._unsynced_folders:
            self._unsynced_folders.add(folder)
            folder = os.path.dirname(folder)

    def sync(self) -> None:
        """Flush all records and names to the disk.

        Raises
        ------
        OutputError
            If that fails.
        """
        folders, self._unsynced_folders = self._unsynced_folders, set()
        if self._fsync:
            self.journal.flush()
            for folder in folders:
                flush_folder(os.path.join(self.root, folder))
        if folders:
            self.journal.write(SyncRecord())
        self._synced_at = time.monotonic()
