"""The records that still count: a journal only grows, so much of it is outdated.

An item was converted again, or failed once and then succeeded. What counts is the last record of each output, and the
failures of each source in the last run that finished it. A million items take a few dozen megabytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from tonearm.errors import UsageError, one_line
from tonearm.run.part import Part
from tonearm.run.past_runs import PastRun, part_of_record
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.journal import OFFSET_BITS, JournalReader, runs_in_order
from tonearm.run.store.records import BeginRecord, EndRecord, ErrRecord, MeasuredItem, OutRecord, RunRecord, StopRecord
from tonearm.run.store.store import Store

MAX_TWICE = 20
"""Largest number of outputs of two parts that are kept."""


class CurrentRecord(Struct, frozen=True):
    """A record that still counts.

    Parameters
    ----------
    run
        Run that wrote it.
    record
        Record. If it lists items, they are those that no later record replaces.
    """

    run: PastRun
    record: OutRecord | ErrRecord


class CurrentRecords:
    """The records of a store that still count.

    The journals are read once to find the last record of each output, and again when this is iterated.

    Parameters
    ----------
    store
        Store.

    Attributes
    ----------
    runs
        Runs in the order in which they began.
    failing
        Number of finished sources that have failed items.
    has_several_outputs
        Whether the runs had more than one output, or outputs that have changed.
    nonsense
        Number of lines that are no records.
    first_twice
        First outputs that two parts of one run have published, each with the numbers of these parts.

    Raises
    ------
    UsageError
        If no run has written to the store.
    OutputError
        If a journal cannot be read.
    """

    def __init__(self, store: Store) -> None:
        self.runs: list[PastRun] = []
        self.failing = 0
        self.has_several_outputs = False
        self._fingerprint: list[str] = []
        self.nonsense = 0
        self.first_twice: list[tuple[str, int, int]] = []
        self._store = store
        self._last_outs = HashIndex()
        self._ends = HashIndex()
        """Finished sources, each with twice the number of the last run that finished it, plus 1 if items failed."""
        self._twice = HashIndex()
        self._journals = store.journals()
        self._starts: list[list[int]] = [[] for _ in self._journals]
        """Offset of each run in each journal."""
        self._numbers: list[list[int]] = [[] for _ in self._journals]
        """Number of each run in each journal."""
        self._sections = runs_in_order(store, self._journals)
        for place, (number, start, end) in enumerate(self._sections):
            is_last = all(number != other for other, _start, _end in self._sections[place + 1 :])
            self._sections[place] = (number, start, self._read(number, start, end, is_last=is_last))
        if not self.runs:
            raise UsageError(
                f"no run has written to {one_line(store.root)}", code="no-run", hint="name the folder of --out"
            )

    @property
    def sources(self) -> int:
        """Number of sources that a run has finished."""
        return len(self._ends)

    @property
    def twice(self) -> int:
        """Number of outputs that two parts of one run have published."""
        return len(self._twice)

    def __iter__(self) -> Iterator[CurrentRecord]:
        """Yield the records that still count, in the order of their runs.

        Raises
        ------
        OutputError
            If a journal cannot be read.
        """
        for number, start, end in self._sections:
            run: PastRun | None = None
            run_number = -1
            reader = JournalReader(self._store, self._journals[number], start, end, skip=BeginRecord)
            for offset, record in reader:
                if isinstance(record, RunRecord):
                    run_number = self._run_number(number, offset)
                    run = self.runs[run_number]
                elif run is None:
                    continue
                elif isinstance(record, OutRecord):
                    position = number << OFFSET_BITS | offset
                    items = [item for item in record.items if self._is_current(item, position)]
                    if items:
                        yield CurrentRecord(run, msgspec.structs.replace(record, items=items))
                elif isinstance(record, ErrRecord) and (self._ends.get(_key(run, record)) or 0) >> 1 == run_number:
                    yield CurrentRecord(run, record)

    def _is_current(self, item: MeasuredItem, position: int) -> bool:
        return bool(item.files) and self._last_outs.get(item.files[0][0]) == position

    def _run_number(self, journal: int, offset: int) -> int:
        """Return the number of the run that wrote a record."""
        return self._numbers[journal][bisect_right(self._starts[journal], offset) - 1]

    def _read(self, number: int, start: int, end: int | None, *, is_last: bool) -> int:
        """Read a section of a journal, and return the offset of its end."""
        name = self._journals[number]
        run: PastRun | None = None
        reader = JournalReader(self._store, name, start, end)
        for offset, record in reader:
            if isinstance(record, RunRecord):
                self._close(run)
                self._starts[number].append(offset)
                self._numbers[number].append(len(self.runs))
                run = self._start(name, record)
            elif run is None:
                continue
            elif isinstance(record, OutRecord):
                run.converted += len({(item.key, item.index) for item in record.items})
                run.sound += sound_of(record.items)
                for item in record.items:
                    if item.files:
                        self._put(item.files[0][0], number << OFFSET_BITS | offset, run)
            elif isinstance(record, ErrRecord):
                run.failed += 1
            elif isinstance(record, EndRecord):
                if not record.renewed:
                    self._finish(run, record)
            elif isinstance(record, StopRecord):
                run.ended, run.state = record.time, record.reason or "finished"
        self.nonsense += reader.nonsense
        self._close(run, name if is_last else "")
        return reader.end

    def _start(self, journal: str, record: RunRecord) -> PastRun:
        run = PastRun(
            journal=journal.rpartition("/")[2],
            pipeline=record.file or record.pipeline,
            fingerprint=record.pipeline,
            part=part_of_record(record),
            began=record.time,
            sources=record.sources,
            skipped=record.skipped,
        )
        self.runs.append(run)
        self.has_several_outputs = self.has_several_outputs or len({*self._fingerprint, *record.outputs}) > 1
        self._fingerprint = record.outputs[:1]
        return run

    def _close(self, run: PastRun | None, journal: str = "") -> None:
        """Set the state of a run that has no record of its end.

        Parameters
        ----------
        run
            Run.
        journal
            Journal in which the run is the last one; empty if there is a later one.
        """
        if run is None or run.state:
            return
        run.ended, run.state = run.began, "killed"
        if journal:
            run.ended = self._store.journal_time(journal)
            if self._store.is_running(Part(*run.part) if run.part else None):
                run.state = "running"

    def _put(self, output: str, position: int, run: PastRun) -> None:
        """Note the last record of an output."""
        last = self._last_outs.get(output)
        if last is not None and run.part:
            earlier = self.runs[self._run_number(last >> OFFSET_BITS, last & ((1 << OFFSET_BITS) - 1))]
            if _are_two_parts(earlier, run):
                if len(self.first_twice) < MAX_TWICE and output not in self._twice:
                    self.first_twice.append((output, earlier.part[0] if earlier.part else 0, run.part[0]))
                self._twice.put(output, 1)
        self._last_outs.put(output, position)

    def _finish(self, run: PastRun, record: EndRecord) -> None:
        run.finished += 1
        key = _key(run, record)
        before = self._ends.get(key) or 0
        self.failing += (record.failed > 0) - (before & 1)
        self._ends.put(key, (len(self.runs) - 1) << 1 | (record.failed > 0))


def sound_of(items: Iterable[MeasuredItem]) -> float:
    """Return the duration of items in seconds. If an item has several outputs, that of the first one counts."""
    durations: dict[tuple[str, int], float] = {}
    for item in items:
        durations.setdefault((item.key, item.index), number_of(item.measured.get("duration")) or 0.0)
    return sum(durations.values())


def number_of(value: object) -> float | None:
    """Return a measurement as a number; None if it is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _are_two_parts(one: PastRun, other: PastRun) -> bool:
    """Return whether two runs are of different parts of one run."""
    if one.part is None or other.part is None or one.fingerprint != other.fingerprint:
        return False
    return one.part[1] == other.part[1] and one.part[0] != other.part[0]


def _key(run: PastRun, record: ErrRecord | EndRecord) -> str:
    return f"{run.pipeline}\n{record.folder}\n{record.source}"
