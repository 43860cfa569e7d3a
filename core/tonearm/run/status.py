"""What became of all runs into a folder, read from their journals; a million items take a few dozen megabytes.

A journal only grows, so much in it is past: what a later run converted again, what failed once and then did not. What
counts is the last record of each output, and the failures of each source when a run last got through with it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tonearm.errors import UsageError, one_line
from tonearm.run.prepared import Failure
from tonearm.run.report import KEPT, warning_pattern
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.lock import lock_holders
from tonearm.run.store.records import read_records, runs_in_order
from tonearm.run.store.run_folder import find_journals

_OFFSET_BITS = 48


@dataclass
class PastRun:
    """One run, as its journal tells it.

    Attributes
    ----------
    journal
        Name of its journal, which has the shard in it.
    pipeline
        The file, or the fingerprint of a pipeline that came from Python.
    state
        ``finished``, ``running``, ``killed``, or why it ended early: ``interrupted``, ``failures``, ``output``,
        ``error``.
    began, ended
        In seconds since 1970; of a run that did not say when it ended, the time of its last record.
    sources, skipped
        How many there were to convert, and how many more were done before.
    through
        How many sources it got through with.
    converted, failed
        How many items.
    sound
        Seconds of sound in what it converted.
    """

    journal: str
    pipeline: str
    began: float
    ended: float = 0.0
    state: str = ""
    sources: int = 0
    skipped: int = 0
    through: int = 0
    converted: int = 0
    failed: int = 0
    sound: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(self.ended - self.began, 0.0)


@dataclass
class Spread:
    """What a measurement was, over all items.

    Attributes
    ----------
    low, high
        The least and the greatest value, each with the output that it was measured of.
    mean
        Of all values.
    count
        How many items have it.
    """

    low: tuple[float, str]
    high: tuple[float, str]
    mean: float = 0.0
    count: int = 0

    def add(self, value: float, output: str) -> None:
        """Take in a value."""
        self.low = min(self.low, (value, output))
        self.high = max(self.high, (value, output))
        self.count += 1
        self.mean += (value - self.mean) / self.count


@dataclass
class Status:
    """What became of all runs into a folder.

    Attributes
    ----------
    out
        The folder.
    runs
        How many there were.
    last
        The last run in each journal: one, or one for each shard.
    sources
        How many sources a run got through with.
    failing
        How many of those have items that failed.
    items, files, size, sound
        What is there: items, files, their bytes, and seconds of sound.
    failed
        How many items failed, and have not been converted since.
    codes
        The same by the code of the error.
    failures
        The first of them.
    warned
        How many items have warnings.
    noted
        How many warnings there are of each kind, numbers left out, and the output that has the first.
    measured
        By the name of the measurement.
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
    """Return what became of all runs into a folder.

    Raises
    ------
    UsageError
        If no run has written there.
    """
    files = find_journals(out)
    if not files:
        raise UsageError(f"no run has written to {one_line(out)}", code="no-run", hint="name the folder of --out")
    reader = _Reader(out)
    for number, start, end in runs_in_order(files):
        reader.read(number, files[number], start, end)
    for number, path in enumerate(files):
        reader.measure(number, path)
    return reader.finish()


class _Reader:
    """Reads journals twice: first for what is the last of each, then for that alone."""

    def __init__(self, out: str) -> None:
        self._status = Status(out)
        self._held = lock_holders(out)
        self._outs = HashIndex()
        self._through = HashIndex()
        self._last: dict[str, PastRun] = {}
        self._now: dict[str, list[Failure]] = {}
        """Failures of sources that a run is at."""
        self._failed: dict[str, list[Failure]] = {}
        """Failures of sources that a run got through with."""

    def read(self, number: int, path: str, start: int, end: int | None) -> None:
        """Take in what part of a journal has the last word on."""
        run: PastRun | None = None
        for offset, record in read_records(path, start, end):
            kind = record.get("record")
            try:
                if kind == "run":
                    run = self._start_run(path, record)
                elif run is None:
                    continue
                elif kind == "out":
                    self._outs.put(record["outputs"][0][0], number << _OFFSET_BITS | offset)
                    run.converted += 1
                    run.sound += _number(record["measured"].get("duration")) or 0.0
                elif kind == "err":
                    self._now.setdefault(_key(run, record), []).append(_failure(record))
                    run.failed += 1
                elif kind == "end" and not record.get("renewed"):
                    self._end(run, _key(run, record))
                elif kind == "stop":
                    run.ended, run.state = record["time"], record["reason"] or "finished"
            except (KeyError, TypeError, IndexError):
                continue
        if run is not None:
            if not run.state:
                run.ended, run.state = os.path.getmtime(path), "running" if self._held else "killed"
            self._last[path] = run

    def _start_run(self, path: str, record: dict[str, Any]) -> PastRun:
        self._status.runs += 1
        self._now = {}
        return PastRun(
            journal=os.path.basename(path),
            pipeline=record.get("file") or record["pipeline"],
            began=record["time"],
            sources=record["sources"],
            skipped=record.get("skipped", 0),
        )

    def _end(self, run: PastRun, key: str) -> None:
        run.through += 1
        self._through.put(key, 1)
        self._failed.pop(key, None)
        failures = self._now.pop(key, None)
        if failures:
            self._failed[key] = failures

    def measure(self, number: int, path: str) -> None:
        """Take in what is there: the last record of each output."""
        status = self._status
        for offset, record in read_records(path):
            try:
                if record.get("record") != "out":
                    continue
                first = record["outputs"][0][0]
                if self._outs.get(first) != number << _OFFSET_BITS | offset:
                    continue
                status.items += 1
                status.files += len(record["outputs"])
                status.size += sum(size for _name, size in record["outputs"])
                status.warned += bool(record["warnings"])
                for warning in record["warnings"]:
                    self._note(warning, first)
                for name, value in record["measured"].items():
                    self._measured(name, _number(value), first)
            except (KeyError, TypeError, IndexError, ValueError):
                continue

    def _note(self, warning: str, output: str) -> None:
        noted, kind = self._status.noted, warning_pattern(warning)
        if kind in noted or len(noted) < KEPT:
            count, first = noted.get(kind, (0, output))
            noted[kind] = (count + 1, first)

    def _measured(self, name: str, value: float | None, output: str) -> None:
        if value is None:
            return
        if name == "duration":
            self._status.sound += value
        measured = self._status.measured
        if name not in measured:
            measured[name] = Spread((value, output), (value, output))
        measured[name].add(value, output)

    def finish(self) -> Status:
        """Return all of it."""
        status = self._status
        status.last = list(self._last.values())
        status.sources, status.failing = len(self._through), len(self._failed)
        for failures in self._failed.values():
            status.failed += len(failures)
            status.codes.update(failure.code for failure in failures)
            status.failures += failures[: KEPT - len(status.failures)]
        return status


def _key(run: PastRun, record: dict[str, Any]) -> str:
    return f"{run.pipeline}\n{record['folder']}\n{record['source']}"


def _failure(record: dict[str, Any]) -> Failure:
    return Failure(*(record[name] for name in ("source", "key", "index", "code", "message", "hint")))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
