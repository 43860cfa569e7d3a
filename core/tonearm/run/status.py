"""The status of an output folder: what all runs into it have done, read from their journals.

A journal only grows, so much of it is outdated: an item was converted again, or failed once and then succeeded. What
counts is the last record of each output, and the failures of each source in the last run that finished it. A million
items take a few dozen megabytes.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from tonearm.errors import UsageError, one_line
from tonearm.run.prepared import Failure
from tonearm.run.report import MAX_KEPT, warning_pattern
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.lock import lock_holders
from tonearm.run.store.records import (
    OFFSET_BITS,
    EndRecord,
    ErrRecord,
    OutRecord,
    RunRecord,
    StopRecord,
    read_records,
    runs_in_order,
)
from tonearm.run.store.run_folder import find_journals


@dataclass
class PastRun:
    """One run, as its journal describes it.

    Attributes
    ----------
    journal
        Name of the journal. The journal of a part is named for it.
    pipeline
        Path of the pipeline's file, or the fingerprint of a pipeline that came from Python.
    state
        ``finished``, ``running``, ``killed``, or why the run ended early: ``interrupted``, ``failures``, ``output``,
        ``error``.
    began, ended
        Times in seconds since 1970. If the journal has no end, ``ended`` is the time of its last change.
    sources
        Number of sources to convert.
    skipped
        Number of further sources with nothing left to do.
    finished
        Number of sources that the run finished.
    converted, failed
        Number of items.
    sound
        Duration of all converted items in seconds.
    """

    journal: str
    pipeline: str
    began: float
    ended: float = 0.0
    state: str = ""
    sources: int = 0
    skipped: int = 0
    finished: int = 0
    converted: int = 0
    failed: int = 0
    sound: float = 0.0

    @property
    def seconds(self) -> float:
        """Duration of the run."""
        return max(self.ended - self.began, 0.0)


@dataclass
class Spread:
    """The spread of a measurement over all items.

    Attributes
    ----------
    low, high
        Smallest and largest value, each with the output that it was measured of.
    mean
        Mean of all values.
    count
        Number of items that have the measurement.
    """

    low: tuple[float, str]
    high: tuple[float, str]
    mean: float = 0.0
    count: int = 0

    def add(self, value: float, output: str) -> None:
        """Add a value."""
        self.low = min(self.low, (value, output))
        self.high = max(self.high, (value, output))
        self.count += 1
        self.mean += (value - self.mean) / self.count


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
        Last run of each journal: one, or one for each part.
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
        Number of items with warnings.
    noted
        Warnings by kind, with numbers left out: how many there are, and the output of the first one.
    measured
        Spread of each measurement, by name.
    """

    out: str
    runs: int = 0
    last: list[PastRun] = field(default_factory=list)
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


def status_of(out: str) -> Status:
    """Return the status of an output folder.

    Raises
    ------
    UsageError
        If no run has written to the folder.
    """
    journals = find_journals(out)
    if not journals:
        raise UsageError(f"no run has written to {one_line(out)}", code="no-run", hint="name the folder of --out")
    reader = _StatusReader(out)
    for number, start, end in runs_in_order(journals):
        reader.read(number, journals[number], start, end)
    for number, path in enumerate(journals):
        reader.measure(number, path)
    return reader.finish()


class _StatusReader:
    """Reads journals twice: first to find the last record of each output, then to read only those."""

    def __init__(self, out: str) -> None:
        self._status = Status(out)
        self._is_running = bool(lock_holders(out))
        self._last_outs = HashIndex()
        self._finished = HashIndex()
        self._last_runs: dict[str, PastRun] = {}
        self._current_failures: dict[str, list[Failure]] = {}
        """Failures of sources that the current run has not finished yet."""
        self._failures: dict[str, list[Failure]] = {}
        """Failures of finished sources."""

    def read(self, number: int, path: str, start: int, end: int | None) -> None:
        """Read a section of a journal for the outputs whose last record is in it."""
        run: PastRun | None = None
        for offset, record in read_records(path, start, end):
            if isinstance(record, RunRecord):
                run = self._start_run(path, record)
            elif run is None:
                continue
            elif isinstance(record, OutRecord):
                if record.outputs:
                    self._last_outs.put(record.outputs[0][0], number << OFFSET_BITS | offset)
                    run.converted += 1
                    run.sound += _number(record.measured.get("duration")) or 0.0
            elif isinstance(record, ErrRecord):
                self._current_failures.setdefault(_key(run, record), []).append(record.failure())
                run.failed += 1
            elif isinstance(record, EndRecord):
                if not record.renewed:
                    self._finish_source(run, _key(run, record))
            elif isinstance(record, StopRecord):
                run.ended, run.state = record.time, record.reason or "finished"
        if run is not None:
            if not run.state:
                run.ended, run.state = os.path.getmtime(path), "running" if self._is_running else "killed"
            self._last_runs[path] = run

    def _start_run(self, path: str, record: RunRecord) -> PastRun:
        self._status.runs += 1
        self._current_failures = {}
        return PastRun(
            journal=os.path.basename(path),
            pipeline=record.file or record.pipeline,
            began=record.time,
            sources=record.sources,
            skipped=record.skipped,
        )

    def _finish_source(self, run: PastRun, key: str) -> None:
        run.finished += 1
        self._finished.put(key, 1)
        self._failures.pop(key, None)
        failures = self._current_failures.pop(key, None)
        if failures:
            self._failures[key] = failures

    def measure(self, number: int, path: str) -> None:
        """Read the last record of each output."""
        status = self._status
        for offset, record in read_records(path):
            if not isinstance(record, OutRecord) or not record.outputs:
                continue
            first = record.outputs[0][0]
            if self._last_outs.get(first) != number << OFFSET_BITS | offset:
                continue
            status.items += 1
            status.files += len(record.outputs)
            status.size += sum(size for _name, size in record.outputs)
            status.warned += bool(record.warnings)
            for warning in record.warnings:
                self._note(warning, first)
            for name, value in record.measured.items():
                self._measure(name, _number(value), first)

    def _note(self, warning: str, output: str) -> None:
        noted, pattern = self._status.noted, warning_pattern(warning)
        if pattern in noted or len(noted) < MAX_KEPT:
            count, first = noted.get(pattern, (0, output))
            noted[pattern] = (count + 1, first)

    def _measure(self, name: str, value: float | None, output: str) -> None:
        if value is None:
            return
        if name == "duration":
            self._status.sound += value
        measured = self._status.measured
        if name not in measured:
            measured[name] = Spread((value, output), (value, output))
        measured[name].add(value, output)

    def finish(self) -> Status:
        """Return the status."""
        status = self._status
        status.last = list(self._last_runs.values())
        status.sources, status.failing = len(self._finished), len(self._failures)
        for failures in self._failures.values():
            status.failed += len(failures)
            status.codes.update(failure.code for failure in failures)
            status.failures += failures[: MAX_KEPT - len(status.failures)]
        return status


def _key(run: PastRun, record: ErrRecord | EndRecord) -> str:
    return f"{run.pipeline}\n{record.folder}\n{record.source}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
