"""What earlier runs left, read from their journals: which sources are through, and which outputs are ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tonearm.run.sources.content_hash import FileState, file_state, hash_path
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.records import parse_record, read_records, runs_in_order
from tonearm.run.store.run_folder import find_journals
from tonearm.run.tasks import ItemId

PublishedFile = tuple[str, int, str]
"""Output below the root, size in bytes, hash."""

PublishedItems = dict[ItemId, list[PublishedFile]]

_OFFSET_BITS = 48  # the rest of 64 numbers the journals: 65,536 of 256 TiB each


class PriorWork(Struct, frozen=True):
    """What is there of a source.

    Parameters
    ----------
    items
        Items whose outputs are there, unchanged.
    complete
        Whether nothing is left to do.
    renewed
        The record of its end, if only the source's time has changed: its state is to be noted anew.
    reason
        Why something is left to do, in a few words; empty if no run has come to it yet.
    """

    items: PublishedItems = {}
    complete: bool = False
    renewed: dict[str, Any] | None = None
    reason: str = ""


NO_PRIOR_WORK = PriorWork()


class _UnfinishedSource(Struct):
    """A source that no run got through with yet."""

    state: FileState
    items: PublishedItems
    pending: dict[ItemId, list[PublishedFile]]
    files: dict[ItemId, int]

    def attempt(self, item: ItemId) -> list[PublishedFile]:
        """Return the files of the last attempt at an item; no run may have come to the end of one before."""
        return self.pending.get(item, [])[-self.files.get(item, 0) :]


class History:
    """What the journals below an output root say; a line that is no record is skipped.

    Parameters
    ----------
    root
        The output folder.

    Attributes
    ----------
    clean
        Whether every run ended by itself, so that there are no temporaries.
    owned
        The outputs that a run made, each with the first 64 bits of its last hash.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.owned = HashIndex()
        self.sizes: dict[str, int] = {}
        self._ends = HashIndex()
        self._unfinished: dict[str, _UnfinishedSource] = {}
        self._doubtful: set[str] = set()
        """Sources whose end may be on the disk when the names of their outputs are not: the power failed."""
        self._files = find_journals(root)
        ended: dict[int, bool] = {}
        for number, start, end in runs_in_order(self._files):
            ended[number] = self._read(number, start, end)
        self.clean = all(ended.values())

    def _read(self, number: int, start: int, end: int | None) -> bool:
        """Take in part of a journal; return whether its last run ended by itself."""
        path = self._files[number]
        pipeline = ""
        ended = True
        size = 0
        recent: list[str] = []
        for offset, record in read_records(path, start, end):
            size = offset
            kind = record.get("record")
            try:
                if kind == "begin":
                    self._begin(pipeline, record)
                elif kind == "out":
                    begun = self._unfinished.get(_key(pipeline, record["folder"], record["source"]))
                    if begun:
                        item = (record["key"], record["index"])
                        begun.items[item] = begun.attempt(item)
                        begun.pending.pop(item, None)
                elif kind == "end":
                    key = _key(pipeline, record["folder"], record["source"])
                    self._unfinished.pop(key, None)
                    self._ends.put(key, number << _OFFSET_BITS | offset)
                    self._doubtful.discard(key)
                    recent.append(key)
                elif kind == "run":
                    self._doubtful.update(recent)
                    recent, ended = [], False
                    pipeline = record["pipeline"]
                elif kind in ("sync", "stop"):
                    recent, ended = [], ended or kind == "stop"
            except (KeyError, TypeError, ValueError):
                continue
        self.sizes[path] = max(size, self.sizes.get(path, 0))
        self._doubtful.update(recent)
        return ended

    def _begin(self, pipeline: str, record: dict[str, Any]) -> None:
        output, size, digest = record["output"], record["size"], record["hash"]
        self.owned.put(output, _short(digest))
        state: FileState = tuple(record["state"])
        key = _key(pipeline, record["folder"], record["source"])
        begun = self._unfinished.get(key)
        if begun is None or begun.state != state:
            begun = self._unfinished[key] = _UnfinishedSource(state, {}, {}, {})
        item = (record["key"], record["index"])
        begun.items.pop(item, None)
        begun.pending.setdefault(item, []).append((output, size, digest))
        begun.files[item] = record["files"]

    def find(self, pipeline: str, folder: str, path: str, state: FileState | None, *, verify: bool) -> PriorWork:
        """Return what is there of a source.

        Parameters
        ----------
        pipeline
            Fingerprint of the pipeline.
        folder, path
            Of the source.
        state
            Of the source as it is now.
        verify
            Look at the content of outputs, not only at their sizes.
        """
        if state is None:
            return NO_PRIOR_WORK
        key = _key(pipeline, folder, path)
        end = self._end(key, path)
        begun = self._unfinished.get(key)
        verify = verify or begun is not None or key in self._doubtful
        reason = ""
        renewed = end is not None and tuple(end["state"]) != state
        if end and renewed and (end["state"][0] != state[0] or hash_path(path) != end["hash"]):
            end, reason = None, "it has changed"
        found: PublishedItems = {}
        if end:
            found = {(name, index): [tuple(file) for file in files] for name, index, files in end["items"]}
        items = {item: files for item, files in found.items() if self._are_there(files, verify=verify)}
        if begun:
            if begun.state == state:
                items.update(self._settled(begun))
            return PriorWork(items, reason=reason or "a run was stopped at it")
        if end and end["failed"]:
            reason = f"{end['failed']} failed"
        elif end and len(items) < len(found):
            reason = "outputs are gone or changed"
        elif end:
            return PriorWork(items, complete=True, renewed=end if renewed else None)
        return PriorWork(items, reason=reason)

    def outputs(self, pipeline: str, folder: str, path: str) -> Iterator[str]:
        """Yield what a run published of a source when it got through with it, whether it is still there or not."""
        end = self._end(_key(pipeline, folder, path), path)
        for _name, _index, files in end["items"] if end else ():
            for output, _size, _hash in files:
                yield output

    def _settled(self, begun: _UnfinishedSource) -> PublishedItems:
        """Return what is there of a source that no run got through with; only the content of files tells.

        A run was killed between a file's record and its name, or right after; or the power failed, and a record is on
        the disk that comes after a name which is not.
        """
        items = {item: files for item, files in begun.items.items() if self._are_there(files, verify=True)}
        for item in begun.pending:
            files = begun.attempt(item)
            if len(files) == begun.files[item] and self._are_there(files, verify=True):
                items[item] = files
        return items

    def _end(self, key: str, path: str) -> dict[str, Any] | None:
        """Return the record of a source's end."""
        position = self._ends.get(key)
        if position is None:
            return None
        try:
            with open(self._files[position >> _OFFSET_BITS], "rb") as file:
                file.seek(position & ((1 << _OFFSET_BITS) - 1))
                end = parse_record(file.readline())
        except OSError:
            return None
        return end if end and end.get("source") == path and end.get("state") else None

    def _are_there(self, files: list[PublishedFile], *, verify: bool) -> bool:
        """Say whether outputs are there as they were published, and no other run put others in their place."""
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


def _short(digest: str) -> int:
    return int(digest[:16], 16)
