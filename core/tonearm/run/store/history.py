"""The history of an output folder, read from its journals: which sources are finished, and which files are ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from tonearm.content_hash import SourceState
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.journal import JournalReader, place_at, position_of, runs_in_order
from tonearm.run.store.records import (
    BeginRecord,
    EndRecord,
    OutputItems,
    OutRecord,
    PublishedFile,
    PublishedItem,
    RunRecord,
    StopRecord,
    SyncRecord,
    decode_record,
)
from tonearm.run.store.store import Store
from tonearm.run.tasks import ItemId

HASH_DIGITS = 32
"""Length of a hash in a journal."""

MAX_TIME = 1e11
"""Time in seconds since 1970 that no clock shows. Somebody has edited a journal that has a later one."""

PublishedItems: TypeAlias = dict[ItemId, list[PublishedFile]]


class PriorWork(Struct, frozen=True):
    """Earlier runs' work on a source for one output.

    Parameters
    ----------
    items
        Items whose files exist unchanged and whose records are complete.
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
        Items that may have been published, by the path of the output and by key and index.
    recorded
        Those of them that have a record with measurements.
    """

    state: SourceState
    items: dict[tuple[str, ItemId], list[PublishedFile]]
    recorded: set[tuple[str, ItemId]] = set()


class History:
    """The history of a store.

    Parameters
    ----------
    store
        Store.

    Attributes
    ----------
    clean
        Whether every run ended by itself, so that no temporaries are left.
    owned
        Files that a run published, each with the first 64 bits of its last hash.
    journals
        Names of the journals.
    sizes
        Size of each journal when it was read.
    nonsense
        Number of lines that are no records.
    latest
        Latest time at which a run began, in seconds since 1970.
    unrecorded
        Size and hash of each file that `find` has found complete under its final name, although a run was killed before
        it could record the measurements.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owned = HashIndex()
        self.sizes: dict[str, int] = {}
        self.nonsense = 0
        self._names_read: dict[str, int] = {}
        self.latest = 0.0
        self.unrecorded: dict[str, tuple[int, str]] = {}
        self._ends = HashIndex()
        self._unfinished: dict[str, _UnfinishedSource] = {}
        self._doubtful: set[str] = set()
        """Sources whose end record may be on the disk although the names of their files are not: the power failed."""
        self.journals = store.journals()
        stopped: dict[int, bool] = {}
        for number, start, end in runs_in_order(store, self.journals):
            stopped[number] = self._read(number, start, end)
        self.clean = all(stopped.values())

    def read_new_names(self) -> None:
        """Read the names of files that runs of other parts have published since the journals were read.

        A file has its record before it has its name, so whoever sees a file finds its record.
        """
        for name in self.store.journals():
            end = self._names_read.get(name, self.sizes.get(name, 0))
            if self.store.journal_size(name) <= end:
                continue
            for line in self.store.read_journal(name, end):
                if not line.endswith(b"\n"):  # it is being written
                    break
                end += len(line)
                record = decode_record(line)
                if isinstance(record, BeginRecord):
                    for output in record.outputs:
                        self._own(output)
            self._names_read[name] = end

    def _read(self, number: int, start: int, end: int | None) -> bool:
        """Read a section of a journal. Return whether its last run ended by itself."""
        name = self.journals[number]
        stopped = True
        recent: list[str] = []
        begun: dict[str, int] = {}
        reader = JournalReader(self.store, name, start, end, skip=OutRecord)
        for offset, record in reader:
            if isinstance(record, BeginRecord):
                for key in self._begin(record):
                    begun.setdefault(key, offset)
            elif isinstance(record, EndRecord):
                for output in record.outputs:
                    key = _key(output.fingerprint, record.folder, record.source)
                    self._unfinished.pop(key, None)
                    begun.pop(key, None)
                    self._ends.put(key, position_of(number, offset))
                    self._doubtful.discard(key)
                    recent.append(key)
            elif isinstance(record, RunRecord):
                self._doubtful.update(recent)
                recent, stopped = [], False
                if record.time < MAX_TIME:
                    self.latest = max(self.latest, record.time)
            elif isinstance(record, (SyncRecord, StopRecord)):
                recent, stopped = [], stopped or isinstance(record, StopRecord)
        self.sizes[name] = reader.end
        self.nonsense += reader.nonsense
        self._doubtful.update(recent)
        if begun:
            self._find_recorded(name, min(begun.values()), reader.end)
        return stopped

    def _find_recorded(self, name: str, start: int, end: int) -> None:
        """Find the items of unfinished sources that have a record with measurements since they were last begun."""
        for _offset, record in JournalReader(self.store, name, start, end):
            if isinstance(record, BeginRecord):
                for output in record.outputs:
                    if unfinished := self._unfinished.get(_key(output.fingerprint, record.folder, record.source)):
                        unfinished.recorded -= {
                            (one.files[0][0], (one.key, one.index)) for one in output.items if one.files
                        }
            elif isinstance(record, OutRecord):
                for item in record.items:
                    unfinished = self._unfinished.get(_key(item.fingerprint, record.folder, record.source))
                    if unfinished and item.files:
                        unfinished.recorded.add((item.files[0][0], (item.key, item.index)))

    def _begin(self, record: BeginRecord) -> Iterator[str]:
        """Note the files of a source that is being published. Yield the keys of the outputs that make sense."""
        for output in record.outputs:
            if not self._own(output) or record.state is None:
                continue
            key = _key(output.fingerprint, record.folder, record.source)
            unfinished = self._unfinished.get(key)
            if unfinished is None or unfinished.state != record.state:
                unfinished = self._unfinished[key] = _UnfinishedSource(record.state, {})
            for item in filter(_has_files, output.items):
                unfinished.items[item.files[0][0], (item.key, item.index)] = item.files
            yield key

    def _own(self, output: OutputItems) -> bool:
        """Note the files of an output as ours. Return whether their hashes are valid."""
        hashes = {path: _short(digest) for item in output.items for path, _size, digest in item.files}
        if None in hashes.values():  # somebody has edited the journal
            return False
        for path, short in hashes.items():
            self.owned.put(path, short or 0)
        return True

    def find(
        self,
        fingerprint: str,
        folder: str,
        source: str,
        state: SourceState | None,
        *,
        verify: bool,
        is_path: Callable[[ItemId, str], bool],
        content_hash: Callable[[], str],
    ) -> PriorWork:
        """Return earlier runs' work on a source for one output.

        Parameters
        ----------
        fingerprint
            Fingerprint of the output.
        folder
            Folder of the source below the fixed part of the pattern that found it.
        source
            Absolute path of the source, or the name of an array.
        state
            State of the source now; None if it does not exist.
        verify
            Whether to compare the content of outputs, not only their sizes.
        is_path
            Function that returns whether an item's output has a path. Another template may have made the files.
        content_hash
            Function that returns the hash of the source's content now.
        """
        if state is None:
            return NO_PRIOR_WORK
        key = _key(fingerprint, folder, source)
        end = self._end(key, source)
        unfinished = self._unfinished.get(key)
        verify = verify or unfinished is not None or key in self._doubtful
        reason = ""
        touched = end is not None and end.state != state
        if end and touched and not _is_only_touched(end, state, content_hash):
            end, reason = None, "it has changed"
        found = _items_of(end, fingerprint)
        named = {item: files for item, files in found if is_path(item, files[0][0])}
        items = {item: files for item, files in named.items() if self._are_there(files, verify=verify)}
        if unfinished:
            if unfinished.state == state:
                items.update(self._settled(unfinished, is_path))
            return PriorWork(items, reason=reason or "a run was stopped at it")
        if end and end.failed:
            reason = f"{end.failed} failed"
        elif end and len(named) < len({item for item, _ in found}):
            reason = "its outputs have other names now"
        elif end and len(items) < len(named):
            reason = "outputs are gone or changed"
        elif end:
            renewed = msgspec.structs.replace(end, state=state, renewed=True) if touched else None
            return PriorWork(items, complete=True, renewed=renewed)
        return PriorWork(items, reason=reason)

    def time_of_next_run(self, now: float) -> float:
        """Return the time to record for a run that begins now: later than those of all runs before it.

        The times of runs give the order of the journals of parts and of whole runs, and a clock may be set back.
        """
        return now if now > self.latest else math.nextafter(self.latest, math.inf)

    def outputs(self, fingerprints: Sequence[str], folder: str, source: str) -> list[str]:
        """Return the files that a run published of a source that it finished, whether they still exist or not."""
        return [path for _item, files in self.items(fingerprints, folder, source) for path, _size, _hash in files]

    def items(
        self, fingerprints: Sequence[str], folder: str, source: str
    ) -> Iterator[tuple[ItemId, list[PublishedFile]]]:
        """Yield the items that a run published of a source that it finished, once for each output."""
        for fingerprint in dict.fromkeys(fingerprints):
            yield from _items_of(self._end(_key(fingerprint, folder, source), source), fingerprint)

    def _settled(self, unfinished: _UnfinishedSource, is_path: Callable[[ItemId, str], bool]) -> PublishedItems:
        """Return the items of an unfinished source whose files exist. Only the content of the files decides.

        Either a run was killed between a file's record and its renaming, or right after that. Or the power failed, and
        the record of a renaming is on the disk while the new name is not. If a run was killed before it could record
        what it had measured, the item is converted again for its record, and its files stay if the new ones equal them.
        """
        found: PublishedItems = {}
        for (path, item), files in unfinished.items.items():
            if is_path(item, path) and self._are_there(files, verify=True):
                if (path, item) in unfinished.recorded:
                    found[item] = files
                else:
                    self.unrecorded.update((name, (size, digest)) for name, size, digest in files)
        return found

    def _end(self, key: str, source: str) -> EndRecord | None:
        """Return the last end record of a source."""
        position = self._ends.get(key)
        if position is None:
            return None
        number, offset = place_at(position)
        end = decode_record(self.store.read_line(self.journals[number], offset))
        return end if isinstance(end, EndRecord) and end.source == source and end.state else None

    def _are_there(self, files: list[PublishedFile], *, verify: bool) -> bool:
        """Return whether files exist as they were published, and no other run has replaced them."""
        for path, size, digest in files:
            short = _short(digest)
            if short is None or self.owned.get(path) != short:
                return False
            if not self._is_whole(path, size, digest if verify else ""):
                return False
        return True

    def _is_whole(self, path: str, size: int, digest: str) -> bool:
        state = self.store.state(path)
        return state is not None and state[0] == size and (not digest or self.store.hash(path) == digest)


def _is_only_touched(end: EndRecord, state: SourceState, content_hash: Callable[[], str]) -> bool:
    """Return whether only the time of a source has changed since it was finished."""
    if not isinstance(end.state, tuple) or not isinstance(state, tuple) or end.state[0] != state[0]:
        return False
    return bool(end.hash) and content_hash() == end.hash


def _items_of(end: EndRecord | None, fingerprint: str) -> list[tuple[ItemId, list[PublishedFile]]]:
    """Return the items that an end record lists for outputs with a fingerprint."""
    outputs = (output for output in end.outputs if output.fingerprint == fingerprint) if end else ()
    return [((item.key, item.index), item.files) for output in outputs for item in filter(_has_files, output.items)]


def _has_files(item: PublishedItem) -> bool:
    return bool(item.files)


def _key(fingerprint: str, folder: str, source: str) -> str:
    return f"{fingerprint}\n{folder}\n{source}"


def _short(digest: str) -> int | None:
    """Return the first 64 bits of a hash; None if the text is no hash."""
    try:
        return int.from_bytes(bytes.fromhex(digest)[:8], "big") if len(digest) == HASH_DIGITS else None
    except ValueError:
        return None
