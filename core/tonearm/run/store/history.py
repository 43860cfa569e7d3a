"""The history of an output folder, read from its journals: which sources are finished, and which files are ours."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from tonearm.run.sources.content_hash import SourceState, file_state, hash_path
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.records import (
    OFFSET_BITS,
    BeginRecord,
    EndRecord,
    OutRecord,
    PublishedFile,
    Record,
    RunRecord,
    StopRecord,
    SyncRecord,
    decode_record,
    read_records,
    runs_in_order,
)
from tonearm.run.store.run_folder import find_journals
from tonearm.run.tasks import ItemId

PublishedItems = dict[ItemId, list[PublishedFile]]


class PriorWork(Struct, frozen=True):
    """Earlier runs' work on a source.

    Parameters
    ----------
    items
        Items whose files exist unchanged.
    complete
        Whether nothing is left to do.
    renewed
        Record to write again with a new state: the source's time has changed, but its content has not.
    reason
        Why something is left to do, in a few words; empty if no run has started on the source.
    """

    items: PublishedItems = {}
    complete: bool = False
    renewed: EndRecord | None = None
    reason: str = ""


NO_PRIOR_WORK = PriorWork()


class _UnfinishedSource(Struct):
    """A source that a run started and none has finished.

    Parameters
    ----------
    state
        State of the source when it was read.
    items
        Items that were published.
    pending
        Files of items that may have been published: those with a begin record and no out record.
    file_counts
        Number of files of each item.
    """

    state: SourceState
    items: PublishedItems
    pending: dict[ItemId, list[PublishedFile]]
    file_counts: dict[ItemId, int]

    def last_attempt(self, item: ItemId) -> list[PublishedFile]:
        """Return the files of the last attempt at an item. Several runs may have been stopped at it."""
        return self.pending.get(item, [])[-self.file_counts.get(item, 0) :]


class History:
    """The history of an output folder.

    Parameters
    ----------
    root
        Output folder.

    Attributes
    ----------
    clean
        Whether every run ended by itself, so that no temporaries are left.
    owned
        Files that a run published, each with the first 64 bits of its last hash.
    sizes
        Size of each journal when it was read.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.owned = HashIndex()
        self.sizes: dict[str, int] = {}
        self._ends = HashIndex()
        self._unfinished: dict[str, _UnfinishedSource] = {}
        self._doubtful: set[str] = set()
        """Sources whose end record may be on the disk although the names of their files are not: the power failed."""
        self._journals = find_journals(root)
        stopped: dict[int, bool] = {}
        for number, start, end in runs_in_order(self._journals):
            stopped[number] = self._read(number, start, end)
        self.clean = all(stopped.values())

    def _read(self, number: int, start: int, end: int | None) -> bool:
        """Read a section of a journal. Return whether its last run ended by itself."""
        path = self._journals[number]
        pipeline = ""
        stopped = True
        size = 0
        recent: list[str] = []
        record: Record | None
        for offset, record in read_records(path, start, end):
            size = offset
            kind = type(record)
            if isinstance(record, BeginRecord):
                self._begin(pipeline, record)
            elif isinstance(record, OutRecord):
                unfinished = self._unfinished.get(_key(pipeline, record.folder, record.source))
                if unfinished:
                    item = (record.key, record.index)
                    unfinished.items[item] = unfinished.last_attempt(item)
                    unfinished.pending.pop(item, None)
            elif isinstance(record, EndRecord):
                key = _key(pipeline, record.folder, record.source)
                self._unfinished.pop(key, None)
                self._ends.put(key, number << OFFSET_BITS | offset)
                self._doubtful.discard(key)
                recent.append(key)
            elif isinstance(record, RunRecord):
                self._doubtful.update(recent)
                recent, stopped = [], False
                pipeline = record.pipeline
            elif kind is SyncRecord or kind is StopRecord:
                recent, stopped = [], stopped or kind is StopRecord
        self.sizes[path] = max(size, self.sizes.get(path, 0))
        self._doubtful.update(recent)
        return stopped

    def _begin(self, pipeline: str, record: BeginRecord) -> None:
        try:
            self.owned.put(record.output, _short(record.hash))
        except ValueError:  # no hash: somebody has edited the journal
            return
        if record.state is None:
            return
        key = _key(pipeline, record.folder, record.source)
        unfinished = self._unfinished.get(key)
        if unfinished is None or unfinished.state != record.state:
            unfinished = self._unfinished[key] = _UnfinishedSource(record.state, {}, {}, {})
        item = (record.key, record.index)
        unfinished.items.pop(item, None)
        unfinished.pending.setdefault(item, []).append((record.output, record.size, record.hash))
        unfinished.file_counts[item] = record.files

    def find(
        self,
        pipeline: str,
        folder: str,
        source: str,
        state: SourceState | None,
        *,
        verify: bool,
        path: str = "",
    ) -> PriorWork:
        """Return earlier runs' work on a source.

        Parameters
        ----------
        pipeline
            Fingerprint of the pipeline.
        folder
            Folder of the source below the fixed part of the pattern that found it.
        source
            Name of the source in the journal.
        state
            State of the source now; None if it does not exist.
        verify
            Whether to compare the content of outputs, not only their sizes.
        path
            Path of the source, if that is not its name in the journal.
        """
        if state is None:
            return NO_PRIOR_WORK
        key = _key(pipeline, folder, source)
        end = self._end(key, source)
        unfinished = self._unfinished.get(key)
        verify = verify or unfinished is not None or key in self._doubtful
        reason = ""
        touched = end is not None and end.state != state
        if end and touched and not _has_content(path or source, state, end):
            end, reason = None, "it has changed"
        found: PublishedItems = {(key, index): files for key, index, files in end.items} if end else {}
        items = {item: files for item, files in found.items() if self._are_there(files, verify=verify)}
        if unfinished:
            if unfinished.state == state:
                items.update(self._settled(unfinished))
            return PriorWork(items, reason=reason or "a run was stopped at it")
        if end and end.failed:
            reason = f"{end.failed} failed"
        elif end and len(items) < len(found):
            reason = "outputs are gone or changed"
        elif end:
            renewed = msgspec.structs.replace(end, state=state, renewed=True) if touched else None
            return PriorWork(items, complete=True, renewed=renewed)
        return PriorWork(items, reason=reason)

    def outputs(self, pipeline: str, folder: str, path: str) -> Iterator[str]:
        """Yield the files that a run published of a source that it finished, whether they still exist or not."""
        end = self._end(_key(pipeline, folder, path), path)
        for _item_key, _index, files in end.items if end else ():
            for output, _size, _hash in files:
                yield output

    def _settled(self, unfinished: _UnfinishedSource) -> PublishedItems:
        """Return the items of an unfinished source whose files exist. Only the content of the files decides.

        Either a run was killed between a file's record and its renaming, or right after that. Or the power failed, and
        the record of a renaming is on the disk while the new name is not.
        """
        items = {item: files for item, files in unfinished.items.items() if self._are_there(files, verify=True)}
        for item in unfinished.pending:
            files = unfinished.last_attempt(item)
            if len(files) == unfinished.file_counts[item] and self._are_there(files, verify=True):
                items[item] = files
        return items

    def _end(self, key: str, path: str) -> EndRecord | None:
        """Return the last end record of a source."""
        position = self._ends.get(key)
        if position is None:
            return None
        try:
            with open(self._journals[position >> OFFSET_BITS], "rb") as file:
                file.seek(position & ((1 << OFFSET_BITS) - 1))
                end = decode_record(file.readline())
        except OSError:
            return None
        return end if isinstance(end, EndRecord) and end.source == path and end.state else None

    def _are_there(self, files: list[PublishedFile], *, verify: bool) -> bool:
        """Return whether files exist as they were published, and no other run has replaced them."""
        return bool(files) and all(
            self.owned.get(output) == _short(digest) and self._is_whole(output, size, digest if verify else "")
            for output, size, digest in files
        )

    def _is_whole(self, output: str, size: int, digest: str) -> bool:
        path = os.path.join(self.root, output)
        state = file_state(path)
        return state is not None and state[0] == size and (not digest or hash_path(path) == digest)


def _key(pipeline: str, folder: str, path: str) -> str:
    return f"{pipeline}\n{folder}\n{path}"


def _has_content(path: str, state: SourceState, end: EndRecord) -> bool:
    """Return whether a file whose time has changed has the content that a record tells of."""
    if isinstance(state, str) or isinstance(end.state, str) or not end.state or not end.hash:
        return False
    return end.state[0] == state[0] and hash_path(path) == end.hash


def _short(digest: str) -> int:
    return int(digest[:16], 16)
