"""The items that a run skips, with what earlier runs have recorded of them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tonearm.run.plan import Plan
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.journal import JournalReader, place_at, position_of
from tonearm.run.store.records import BeginRecord, MeasuredItem, OutRecord, PublishedFile, decode_record
from tonearm.run.tasks import ItemId

DONE_BEFORE = "done before, and unchanged"
"""Reason why a source is skipped."""


class SkippedItem(Struct, frozen=True):
    """An item that an earlier run has converted.

    Parameters
    ----------
    source
        Name of the source.
    key, index
        Key and index of the item within its source.
    reason
        Why it is skipped.
    outputs
        Item, once for each output. Without a record of it, nothing is measured.
    """

    source: str
    key: str
    index: int
    reason: str
    outputs: list[MeasuredItem]


def skipped_items(plan: Plan) -> Iterator[SkippedItem]:
    """Yield the items that a run skips: those of finished sources, and the finished ones of other sources.

    The journals are read once before the first item. To find the record of an output takes 24 to 48 bytes of memory.
    """
    records = _Records(plan)
    for name, source, folder in plan.skipped():
        found = _by_item(plan.history.items(plan.fingerprints, folder, source))
        for (key, index), outputs in found.items():
            items = [records.find((key, index), files) for files in outputs]
            yield SkippedItem(name, key, index, DONE_BEFORE, items)
    for task, kept in plan.tasks():
        for item in _finished(kept, task.outputs):
            done = [plan.fingerprints[number] for number in range(len(plan.fingerprints)) if number not in task.outputs]
            files = [kept[output][item] for output in task.outputs]
            files += _by_item(plan.history.items(done, task.folder, task.source_id)).get(item, [])
            recorded = [records.find(item, one) for one in files]
            yield SkippedItem(task.name, *item, DONE_BEFORE, recorded)


def _by_item(found: Iterator[tuple[ItemId, list[PublishedFile]]]) -> dict[ItemId, list[list[PublishedFile]]]:
    items: dict[ItemId, list[list[PublishedFile]]] = {}
    for item, files in found:
        items.setdefault(item, []).append(files)
    return items


def _finished(kept: dict[int, dict[ItemId, list[PublishedFile]]], outputs: tuple[int, ...]) -> list[ItemId]:
    """Return the items that need none of the outputs any more."""
    return [item for item in kept.get(outputs[0], {}) if all(item in kept.get(output, {}) for output in outputs)]


class _Records:
    """The records of published items, found by the item's first file."""

    def __init__(self, plan: Plan) -> None:
        self._store = plan.store
        self._journals = plan.history.journals
        self._positions = HashIndex()
        self._read = -1
        """Position of the record that was read last."""
        self._items: dict[str, MeasuredItem] = {}
        """Items of that record by their first file."""
        for number, name in enumerate(self._journals):
            for offset, record in JournalReader(self._store, name, skip=BeginRecord):
                if isinstance(record, OutRecord):
                    for item in record.items:
                        if item.files:
                            self._positions.put(item.files[0][0], position_of(number, offset))

    def find(self, item: ItemId, files: list[PublishedFile]) -> MeasuredItem:
        """Return the record of an item; one without measurements if there is none."""
        first = files[0][0]
        position = self._positions.get(first)
        if position is not None and position != self._read:
            self._load(position)
        found = self._items.get(first) if position is not None else None
        if found is not None and (found.key, found.index) == item:
            return found
        return MeasuredItem(*item, "", [(path, size) for path, size, _hash in files])

    def _load(self, position: int) -> None:
        number, offset = place_at(position)
        record = decode_record(self._store.read_line(self._journals[number], offset))
        self._read = position
        items = record.items if isinstance(record, OutRecord) else []
        self._items = {item.files[0][0]: item for item in items if item.files}
