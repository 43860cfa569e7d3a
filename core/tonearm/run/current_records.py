"""The records that still count: a journal only grows, so much of it is outdated.

An item was converted again, or failed once and then succeeded. What counts is the last record of each output, and the
failures of each source in the last run that finished it. A million items take a few dozen megabytes, unless most
of them are outdated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from tonearm.errors import UsageError, one_line
from tonearm.run.part import Part
from tonearm.run.past_runs import PastRun, part_of_record
from tonearm.run.store.hash_index import HashIndex, HashSet
from tonearm.run.store.journal import JournalReader, position_of, runs_in_order
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
    twice
        Number of outputs that two parts of one run have published, as far as this has been iterated.
    first_twice
        First of these outputs, each with the numbers of the parts.

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
        self._outputs = HashSet()
        self._replaced = HashIndex()
        """Outputs that were published again, each with the position of the last record."""
        self._sources = HashSet()
        """Sources that a run has finished."""
        self._failing = HashIndex()
        """Finished sources that had failed items, each with the last run that finished it, plus 1; 0 if none failed."""
        self._twice = HashSet()
        self._journals = store.journals()
        self._numbers: dict[int, int] = {}
        """Numbers of the runs, by the positions of their first records."""
        self._sections = runs_in_order(store, self._journals)
        for place, (number, start, end) in enumerate(self._sections):
            is_last = all(number != other for other, _start, _end in self._sections[place + 1 :])
            self._sections[place] = (number, start, self._read(number, start, end, is_last=is_last))
        if not self.runs:
            raise no_run(store)

    @property
    def sources(self) -> int:
        """Number of sources that a run has finished."""
        return len(self._sources)

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
        publishers = HashIndex()
        for number, start, end in self._sections:
            run: PastRun | None = None
            run_number = -1
            reader = JournalReader(self._store, self._journals[number], start, end, skip=BeginRecord)
            for offset, record in reader:
                if isinstance(record, RunRecord):
                    run_number = self._numbers.get(position_of(number, offset), -1)
                    run = self.runs[run_number] if run_number >= 0 else None
                elif run is None:
                    continue
                elif isinstance(record, OutRecord):
                    position = position_of(number, offset)
                    items = [item for item in record.items if self._is_current(item, position)]
                    if len(self._replaced):
                        self._find_twice(record, run_number, publishers)
                    if items:
                        yield CurrentRecord(run, msgspec.structs.replace(record, items=items))
                elif isinstance(record, ErrRecord) and self._failing.get(_key(run, record)) == run_number + 1:
                    yield CurrentRecord(run, record)

    def _is_current(self, item: MeasuredItem, position: int) -> bool:
        return bool(item.files) and self._replaced.get(item.files[0][0]) in (None, position)

    def _find_twice(self, record: OutRecord, run_number: int, publishers: HashIndex) -> None:
        """Note the outputs of a record that another part has published before."""
        run = self.runs[run_number]
        for item in record.items:
            output = item.files[0][0] if item.files else ""
            if output not in self._replaced:
                continue
            before = publishers.get(output)
            publishers.put(output, run_number)
            earlier = run if before is None else self.runs[before]
            if _are_two_parts(earlier, run) and self._twice.add(output) and len(self.first_twice) < MAX_TWICE:
                first, second = (one.part[0] if one.part else 0 for one in (earlier, run))
                self.first_twice.append((output, first, second))

    def _read(self, number: int, start: int, end: int | None, *, is_last: bool) -> int:
        """Read a section of a journal, and return the offset of its end."""
        name = self._journals[number]
        run: PastRun | None = None
        reader = JournalReader(self._store, name, start, end)
        for offset, record in reader:
            if isinstance(record, RunRecord):
                self._close(run)
                self._numbers[position_of(number, offset)] = len(self.runs)
                run = self._start(name, record)
            elif run is None:
                continue
            elif isinstance(record, OutRecord):
                run.converted += len({(item.key, item.index) for item in record.items})
                run.sound += sound_of(record.items)
                for item in record.items:
                    if item.files and not self._outputs.add(item.files[0][0]):
                        self._replaced.put(item.files[0][0], position_of(number, offset))
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

    def _finish(self, run: PastRun, record: EndRecord) -> None:
        run.finished += 1
        key = _key(run, record)
        self._sources.add(key)
        before = self._failing.get(key)
        if record.failed or before is not None:
            self.failing += bool(record.failed) - bool(before)
            self._failing.put(key, len(self.runs) if record.failed else 0)


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


def no_run(store: Store) -> UsageError:
    """Return the error for a folder to which no run has written, or for a file."""
    return UsageError(f"no run has written to {one_line(store.root)}", code="no-run", hint="name the folder of --out")
