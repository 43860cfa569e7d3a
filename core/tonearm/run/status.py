"""The status of an output folder: what all runs into it have done, read from their journals."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tonearm.errors import UsageError, did_you_mean, one_line
from tonearm.run.current_records import CurrentRecord, CurrentRecords, number_of, sound_of
from tonearm.run.past_runs import PastRun, SharedRun, last_runs, shared_runs
from tonearm.run.prepared import Failure
from tonearm.run.report import MAX_KEPT, warning_pattern
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.records import ErrRecord, OutRecord
from tonearm.run.store.store import Store
from tonearm.run.tasks import ItemId

MAX_NAMES = 1000
"""Largest number of measurements and of error codes that are told apart. Somebody may have edited the journal."""

MAX_RANKED = 100_000
"""Largest number of outputs in a ranking."""


@dataclass
class Spread:
    """The spread of a measurement over all outputs.

    Attributes
    ----------
    low, high
        Smallest and largest value, each with the output that it was measured of.
    mean
        Mean of all values.
    count
        Number of outputs that have the measurement.
    """

    low: tuple[float, str]
    high: tuple[float, str]
    mean: float = 0.0
    count: int = 0

    def add(self, value: float, output: str) -> None:
        """Add a value."""
        if value < self.low[0]:
            self.low = (value, output)
        if value > self.high[0]:
            self.high = (value, output)
        self.count += 1
        self.mean += (value - self.mean) / self.count


class Ranking:
    """The outputs with the lowest and the highest values of a measurement.

    Parameters
    ----------
    size
        Largest number of outputs at each end.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lowest: list[tuple[float, str]] = []
        self._highest: list[tuple[float, str]] = []

    def add(self, value: float, output: str) -> None:
        """Add a value."""
        for heap, key in ((self._lowest, -value), (self._highest, value)):
            if len(heap) < self._size:
                heapq.heappush(heap, (key, output))
            elif heap and key > heap[0][0]:
                heapq.heapreplace(heap, (key, output))

    @property
    def lowest(self) -> list[tuple[float, str]]:
        """Lowest values with their outputs, the lowest first."""
        return sorted((-key, output) for key, output in self._lowest)

    @property
    def highest(self) -> list[tuple[float, str]]:
        """Highest values with their outputs, the highest first."""
        return sorted(self._highest, key=lambda entry: (-entry[0], entry[1]))


@dataclass
class Status:
    """The status of an output folder.

    Attributes
    ----------
    out
        Output folder.
    runs
        Number of runs.
    last
        Last run of all sources, and the last run of each part since then.
    shared
        Runs that parts have shared since then, each seen as one run.
    sources
        Number of sources that a run has finished.
    failing
        Number of those that have failed items.
    items, files
        Number of items and files that the journals list as published.
    size
        Size of those files in bytes.
    sound
        Duration of those items in seconds.
    failed
        Number of items that failed and have not been converted since.
    codes
        Number of those items by error code.
    failures
        First failures.
    warned
        Number of outputs with warnings.
    noted
        Warnings by kind, with numbers left out: how many there are, and the output of the first one.
    measured
        Spread of each measurement, by name.
    ranked
        Rankings that were asked for, by the name of the measurement.
    nonsense
        Number of lines in the journals that are no records.
    """

    out: str
    runs: int = 0
    last: list[PastRun] = field(default_factory=list)
    shared: list[SharedRun] = field(default_factory=list)
    sources: int = 0
    failing: int = 0
    items: int = 0
    files: int = 0
    size: int = 0
    sound: float = 0.0
    failed: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    warned: int = 0
    noted: dict[str, tuple[int, str]] = field(default_factory=dict)
    measured: dict[str, Spread] = field(default_factory=dict)
    ranked: dict[str, Ranking] = field(default_factory=dict)
    nonsense: int = 0


class StatusReader:
    """A reader of the status. The status is complete when all records have been iterated.

    Parameters
    ----------
    store
        Store of the folder.
    ranks
        Measurements to rank outputs by, each with the number of outputs to keep at each end.

    Attributes
    ----------
    records
        Records that still count.
    status
        Status so far.
    """

    def __init__(self, store: Store, ranks: Mapping[str, int]) -> None:
        self.records = CurrentRecords(store)
        self.status = Status(
            store.root,
            runs=len(self.records.runs),
            last=last_runs(self.records.runs),
            shared=shared_runs(self.records.runs),
            sources=self.records.sources,
            failing=self.records.failing,
            ranked={name: Ranking(min(size, MAX_RANKED)) for name, size in ranks.items()},
            nonsense=self.records.nonsense,
        )
        self._shared = {(shared.fingerprint, shared.count): shared for shared in self.status.shared}
        # Each output has a record of its own, and an item can have several outputs.
        self._items = HashIndex() if self.records.has_several_outputs else None

    def __iter__(self) -> Iterator[CurrentRecord]:
        """Yield the records that still count, and count them.

        Raises
        ------
        UsageError
            If no output has a measurement that is asked for.
        OutputError
            If a journal cannot be read.
        """
        for found in self.records:
            shared = self._shared.get((found.run.fingerprint, found.run.part[1])) if found.run.part else None
            if isinstance(found.record, ErrRecord):
                self._fail(found.record, shared)
            else:
                self._publish(found.record, shared)
            yield found
        for name in self.status.ranked:
            if name not in self.status.measured:
                known = sorted(self.status.measured)
                names = ", ".join(one_line(one, 40) for one in known[:MAX_KEPT]) or "none"
                hint = did_you_mean(name, known) or f"measurements of the outputs: {names}"
                raise UsageError(f"no output has a measurement {one_line(name, 40)!r}", hint=hint)

    def _fail(self, record: ErrRecord, shared: SharedRun | None) -> None:
        status = self.status
        status.failed += 1
        if record.code in status.codes or len(status.codes) < MAX_NAMES:
            status.codes[record.code] += 1
        if len(status.failures) < MAX_KEPT:
            status.failures.append(record.failure())
        if shared:
            shared.failed += 1

    def _publish(self, record: OutRecord, shared: SharedRun | None) -> None:
        status = self.status
        items = self._new_items(record)
        status.items += len(items)
        if shared:
            shared.items += len(items)
        status.sound += sound_of(item for item in record.items if (item.key, item.index) in items)
        ranked: set[tuple[ItemId, str, object]] = set()
        for item in record.items:
            first = item.files[0][0]
            status.files += len(item.files)
            status.size += sum(size for _name, size in item.files)
            status.warned += bool(item.warnings)
            for warning in item.warnings:
                self._note(warning, first)
            for name, value in item.measured.items():
                self._measure(name, number_of(value), first)
                # Outputs of an item share what its common steps measured, and are ranked by it once.
                if name in status.ranked and (one := ((item.key, item.index), name, value)) not in ranked:
                    ranked.add(one)
                    self._rank(name, number_of(value), first)

    def _new_items(self, record: OutRecord) -> set[ItemId]:
        """Return the items of a record that have not been counted for another output."""
        items = {(item.key, item.index) for item in record.items}
        if self._items is None:
            return items
        for key, index in tuple(items):
            name = f"{record.folder}\n{record.source}\n{index}\n{key}"
            if name in self._items:
                items.discard((key, index))
            self._items.put(name, 1)
        return items

    def _note(self, warning: str, output: str) -> None:
        noted, pattern = self.status.noted, warning_pattern(warning)
        if pattern in noted or len(noted) < MAX_KEPT:
            count, first = noted.get(pattern, (0, output))
            noted[pattern] = (count + 1, first)

    def _measure(self, name: str, value: float | None, output: str) -> None:
        measured = self.status.measured
        if value is None or not math.isfinite(value):
            return
        if name not in measured:
            if len(measured) >= MAX_NAMES:
                return
            measured[name] = Spread((value, output), (value, output))
        measured[name].add(value, output)

    def _rank(self, name: str, value: float | None, output: str) -> None:
        if value is not None and math.isfinite(value) and name in self.status.measured:
            self.status.ranked[name].add(value, output)
