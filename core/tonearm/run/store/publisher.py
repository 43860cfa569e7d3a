"""Publishing: the files of a source get a record, then their final names, then another record.

Whatever is killed at any moment, a file under its final name is whole and the journal knows it. Only the run that holds
the lock publishes, so a worker that was given up can do no harm, wherever it still runs.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence

from msgspec import Struct

from tonearm.errors import ItemError, OutputError
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.result import Result, result_of
from tonearm.run.store.history import PublishedItems
from tonearm.run.store.journal import Journal
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.records import (
    BeginRecord,
    EndRecord,
    ErrRecord,
    MeasuredItem,
    OutputItems,
    OutRecord,
    PublishedItem,
    Record,
    SyncRecord,
)
from tonearm.run.store.slow_calls import SlowCalls
from tonearm.run.store.store import Store

SYNC_EVERY = 1.0
"""Seconds after which new names and their records are flushed to the disk."""

MAX_UNSYNCED_FOLDERS = 1024
"""Number of folders with new names that are flushed before the time has come."""

FLUSH_INTERVALS = 4.0
"""Least time between two flushes of the journal, in times of what one takes, as long as more results come at once."""

GATHER_SECONDS = 0.02
"""The same in seconds, where renaming is slow, so that there are enough files to rename at once."""

MAX_WAITING = 4096
"""Number of sources that wait for a flush at most."""


class _Admitted(Struct):
    """A prepared source whose names are taken.

    Parameters
    ----------
    prepared
        Prepared source.
    items, failures
        Items and failures that remain: an item whose name is taken has failed.
    begun
        Whether the record of its files is written.
    outputs
        Items of the source by output, as that record lists them.
    renamed
        Number of its files that have their final names.
    records
        Records to write after that; None if they are not made yet.
    """

    prepared: PreparedSource
    items: list[ConvertedItem]
    failures: list[Failure]
    begun: bool = False
    outputs: list[OutputItems] = []
    renamed: int = 0
    records: list[Record] | None = None


class Publisher:
    """Gives prepared files their final names.

    Parameters
    ----------
    store
        Store, whose lock is held.
    journal
        Open journal.
    names
        Names of outputs that are taken.
    fingerprints
        Fingerprints of the pipeline's outputs.
    fsync
        Whether to flush records and names to the disk.
    unrecorded
        Size and hash of each complete file whose measurements an earlier run could not record. It stays if the new one
        equals it.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        names: OutputNames,
        fingerprints: Sequence[str],
        *,
        fsync: bool,
        unrecorded: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        self.store = store
        self.journal = journal
        self.names = names
        self._fingerprints = fingerprints
        self._arrived: list[PreparedSource] = []
        self._unpublished: list[_Admitted] = []
        self._dropped: set[int] = set()
        """Sources of which a piece was removed, so that they are not finished."""
        self._fsync = fsync
        self._unrecorded = unrecorded or {}
        self._items: dict[int, dict[int, PublishedItems]] = {}
        self._failed: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        self._unsynced_folders: set[str] = set()
        self._synced_at = time.monotonic()
        self._renaming = SlowCalls()
        self._flush_at = 0.0
        """Time before which batches wait for one another."""

    def begin(self) -> None:
        """Flush the name of the journal, and those of the folders above it.

        Raises
        ------
        OutputError
            If that fails.
        """
        if self._fsync:
            self.store.flush_root()

    def keep(self, number: int, items: dict[int, PublishedItems]) -> None:
        """Keep the items of a source that an earlier run published, by output.

        If that run was killed, their names may not have been flushed, so they are flushed with the new ones.
        """
        if items:
            self._items[number] = {output: dict(published) for output, published in items.items()}
            for published in items.values():
                for files in published.values():
                    for path, _size, _hash in files:
                        self._note_folder(path)

    def publish(self, batch: Sequence[PreparedSource]) -> Generator[Result, None, None]:
        """Publish a batch and yield the result of each source in it.

        Sources are published as the results are consumed. What is not published, because the generator is closed early
        or the output side fails, waits for `publish_rest` or `discard_rest`. So does a batch without failures right
        after another one: many batches are flushed to the disk at once. An empty batch publishes all that waits.

        Raises
        ------
        OutputError
            If the output side failed. What was published stays.
        """
        self._arrived += batch
        if not self._may_wait(batch):
            yield from self.publish_rest()

    def _may_wait(self, batch: Sequence[PreparedSource]) -> bool:
        """Return whether a batch may wait for more, because the journal was flushed a moment ago."""
        is_urgent = not batch or any(prepared.failures for prepared in batch)  # the run may stop at a failure
        return not is_urgent and time.monotonic() < self._flush_at and len(self._arrived) <= MAX_WAITING

    def publish_rest(self) -> Generator[Result, None, None]:
        """Publish what was not published before, and yield the result of each source.

        A source whose files cannot have their names waits, and the others are published all the same. If a record
        cannot be written, all wait.

        Raises
        ------
        OutputError
            If the output side failed. What was published stays.
        """
        failed = self._admit_all()
        try:
            self._begin(self._unpublished)
        except OutputError as error:  # what has begun before may still find room
            failed = failed or error
        if self._fsync and any(admitted.begun and admitted.items for admitted in self._unpublished):
            # The records reach the disk before the first name does, so that every file that exists is known.
            began = time.monotonic()
            self.journal.file.flush()
            seconds = FLUSH_INTERVALS * (time.monotonic() - began)
            self._flush_at = time.monotonic() + max(seconds, GATHER_SECONDS * self._renaming.are_slow)
        self._rename_ahead()
        place, waiting = 0, set()
        while place < len(self._unpublished):
            admitted = self._unpublished[place]
            number = admitted.prepared.task.number
            if admitted.begun and number not in waiting:  # the pieces of a source stay in order
                try:
                    self._rename(admitted)
                except OutputError as error:
                    failed = failed or error
                else:
                    self._record(admitted)
                    del self._unpublished[place]
                    yield result_of(admitted.prepared, admitted.items, admitted.failures)
                    continue
            waiting.add(number)
            place += 1
        if failed is not None:
            raise failed
        if time.monotonic() - self._synced_at > SYNC_EVERY or len(self._unsynced_folders) > MAX_UNSYNCED_FOLDERS:
            self.sync()

    def discard_last(self) -> bool:
        """Remove the temporaries of the source that waits last, and return whether there was one.

        On a full disk, that makes room for the records of the others.
        """
        if not self._unpublished:
            return False
        self.store.discard(file for item in self._unpublished.pop().items for file in item.files)
        return True

    def discard_rest(self) -> None:
        """Remove the temporaries of what was not published."""
        items = [item for admitted in self._unpublished for item in admitted.items]
        items += [item for prepared in self._arrived for item in prepared.items]
        self._arrived, self._unpublished = [], []
        self.store.discard(file for item in items for file in item.files)

    def _admit_all(self) -> OutputError | None:
        """Take the names of all sources that have arrived. Return the first error; sources with one are dropped."""
        failed, arrived, self._arrived = None, self._arrived, []
        self.names.look_up([file.output for prepared in arrived for item in prepared.items for file in item.files])
        for prepared in arrived:
            number = prepared.task.number
            try:
                if number not in self._dropped:
                    self._unpublished.append(self._admit(prepared))
                    continue
            except OutputError as error:
                failed = failed or error
            self._dropped.add(number)
            self.store.discard(file for item in prepared.items for file in item.files)
        return failed

    def _admit(self, prepared: PreparedSource) -> _Admitted:
        """Take the names of all files. An item whose name is taken fails."""
        failures = list(prepared.failures)
        refused: dict[tuple[str, int], ItemError] = {}
        task = prepared.task
        for item in prepared.items:
            try:
                for file in item.files:
                    self.names.take(file.output, task.number, task.name, task.path)
            except ItemError as error:
                refused.setdefault((item.key, item.index), error)
        if not refused:
            return _Admitted(prepared, prepared.items, failures)
        items = []
        for item in prepared.items:
            if (item.key, item.index) in refused:
                self.store.discard(item.files)
            else:
                items.append(item)
        failures += [
            Failure(task.name, key, index, why.code, why.message, why.hint) for (key, index), why in refused.items()
        ]
        return _Admitted(prepared, items, failures)

    def _begin(self, batch: list[_Admitted]) -> None:
        """Write the records of sources whose files are about to get their names."""
        waiting = [admitted for admitted in batch if not admitted.begun]
        records = [self._begin_record(admitted) for admitted in waiting if admitted.items]
        if records:
            self.journal.write(*records)
        for admitted in waiting:
            admitted.begun = True

    def _begin_record(self, admitted: _Admitted) -> BeginRecord:
        prepared = admitted.prepared
        begun: dict[int, PublishedItems] = {}
        for item in admitted.items:
            begun.setdefault(item.output, {})[item.key, item.index] = _described(item.files)
        admitted.outputs = self._by_output(begun)
        return BeginRecord(
            source=prepared.task.source_id,
            folder=prepared.task.folder,
            state=prepared.state,
            outputs=admitted.outputs,
        )

    def _rename_ahead(self) -> None:
        """Give the files of many sources their names at once, where renaming is slow. What fails is tried again."""
        first: dict[int, _Admitted] = {}
        for admitted in self._unpublished:
            if admitted.begun:  # the pieces of a source stay in order
                first.setdefault(admitted.prepared.task.number, admitted)
        self._renaming.ahead(self._rename, list(first.values()))

    def _rename(self, admitted: _Admitted) -> None:
        """Give the files of a source their names. If that fails, the next call goes on where it failed."""
        # Sidecars come after their file and are renamed before it: a file that exists has all of its sidecars.
        files = [file for item in admitted.items for file in reversed(item.files)]
        for file in files[admitted.renamed :]:
            is_same = self._unrecorded.get(file.output) == (file.size, file.hash)
            if is_same and self.store.kind(file.output) == "file":  # nobody has removed it since
                self.store.discard([file])
            else:
                self._renaming.timed(self.store.publish, file)
            admitted.renamed += 1
            self._note_folder(file.output)

    def _record(self, admitted: _Admitted) -> None:
        """Write the records of a source. If that fails, the next call writes them again."""
        if admitted.records is None:
            admitted.records = self._records(admitted)
        self.journal.write(*admitted.records)

    def _records(self, admitted: _Admitted) -> list[Record]:
        """Return the records of a source whose files have their names."""
        prepared, items, task = admitted.prepared, admitted.items, admitted.prepared.task
        number = task.number
        is_whole = prepared.last and number not in self._items and len(admitted.outputs) == len(task.outputs)
        published: dict[int, PublishedItems] = {} if is_whole else self._items.setdefault(number, {})
        for item in () if is_whole else items:
            published.setdefault(item.output, {})[item.key, item.index] = _described(item.files)
        records: list[Record] = []
        if items:
            measured = [self._measured(item) for item in items]
            records.append(OutRecord(source=task.source_id, folder=task.folder, items=measured))
        records += [ErrRecord.of(task.source_id, task.folder, failure) for failure in admitted.failures]
        failed = self._failed.pop(number, 0) + len(admitted.failures)
        seconds = self._seconds.pop(number, 0.0) + prepared.seconds
        if prepared.last:
            self._items.pop(number, None)
            done = {output: published.get(output, {}) for output in task.outputs}
            records.append(
                EndRecord(
                    source=task.source_id,
                    folder=task.folder,
                    state=prepared.state,
                    hash=prepared.hash,
                    outputs=admitted.outputs if is_whole else self._by_output(done),
                    failed=failed,
                    seconds=round(seconds, 6),
                )
            )
        else:
            self._failed[number], self._seconds[number] = failed, seconds
        return records

    def _by_output(self, items: dict[int, PublishedItems]) -> list[OutputItems]:
        """Return the items of outputs as records list them."""
        return [
            OutputItems(
                self._fingerprints[output],
                [PublishedItem(key, index, files) for (key, index), files in published.items()],
            )
            for output, published in items.items()
        ]

    def _measured(self, item: ConvertedItem) -> MeasuredItem:
        return MeasuredItem(
            key=item.key,
            index=item.index,
            fingerprint=self._fingerprints[item.output],
            files=[(file.output, file.size) for file in item.files],
            measured=item.measured,
            warnings=item.warnings,
        )

    def _note_folder(self, path: str) -> None:
        """Note that the folder of a file has a new name. The folders above it up to the root may be new, too."""
        while path:
            path = path.rpartition("/")[0]
            if path in self._unsynced_folders:
                return
            self._unsynced_folders.add(path)

    def sync(self) -> None:
        """Flush all records and names to the disk.

        Raises
        ------
        OutputError
            If that fails.
        """
        if self._fsync:
            self.journal.file.flush()
            self.store.flush(self._unsynced_folders)
        if self._unsynced_folders:
            self.journal.write(SyncRecord())
            self._unsynced_folders = set()
        self._synced_at = time.monotonic()


def _described(files: list[PreparedFile]) -> list[tuple[str, int, str]]:
    return [(file.output, file.size, file.hash) for file in files]
