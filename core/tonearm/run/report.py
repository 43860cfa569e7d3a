"""The report of a run. Its size does not grow with the number of sources."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tonearm.run.prepared import Failure
from tonearm.run.result import Result

MAX_KEPT = 20
"""Largest number of failures, of outputs, and of kinds of warnings that a report keeps. The journal has all."""

_NUMBER = re.compile(r"-?\d[\d.,:]*(?:e[-+]?\d+)?")


def warning_pattern(warning: str) -> str:
    """Return what a warning has in common with others of its kind: everything but the numbers."""
    return _NUMBER.sub("…", warning)


def format_size(size: int) -> str:
    """Return a number of bytes as text, with a unit that suits it."""
    if size < 1000:
        return f"{size} bytes"
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


@dataclass
class Report:
    """The report of a run.

    Attributes
    ----------
    out
        Output folder.
    total
        Number of sources to convert.
    sources
        Number of those that are finished.
    skipped
        Number of further sources with nothing left to do.
    outputs_left_out
        Number of files that a search found and that are no sources, because an earlier run wrote them.
    converted, failed
        Number of items.
    codes
        Number of failed items by error code.
    failures
        First failures.
    first_outputs
        First published files, as paths below ``out``.
    files
        Number of published files.
    sound
        Duration of all converted items in seconds.
    warned
        Number of items with warnings.
    noted
        Warnings by kind, with numbers left out: how many there were, and the source of the first one.
    warnings
        Warnings about the run as a whole.
    seconds
        Duration of the run.
    stopped
        Why the run ended early; empty if it did not.
    """

    out: Path
    total: int = 0
    sources: int = 0
    skipped: int = 0
    outputs_left_out: int = 0
    converted: int = 0
    failed: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    first_outputs: list[str] = field(default_factory=list)
    files: int = 0
    sound: float = 0.0
    warned: int = 0
    noted: dict[str, tuple[int, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""
    _journal: tuple[str, int, int] = ("", 0, 0)

    @property
    def ok(self) -> bool:
        """Whether the run finished all sources and no item failed."""
        return not self.failed and not self.stopped

    @property
    def outputs(self) -> list[Path]:
        """Paths of all published files in order, read from the journal."""
        from tonearm.run.store.records import OutRecord, read_records

        path, start, end = self._journal
        records = (record for _, record in read_records(path, start, end) if isinstance(record, OutRecord))
        return [self.out / name for record in records for name, _size in record.outputs] if path else []

    @property
    def errors(self) -> list[Failure]:
        """All failures in order, read from the journal."""
        from tonearm.run.store.records import ErrRecord, read_records

        path, start, end = self._journal
        records = (record for _, record in read_records(path, start, end) if isinstance(record, ErrRecord))
        return [record.failure() for record in records] if path else []

    def add(self, result: Result) -> None:
        """Count a result."""
        self.sources += result.last
        self.converted += len(result.items)
        self.failed += len(result.failures)
        for failure in result.failures:
            self.codes[failure.code] += 1
        if len(self.failures) < MAX_KEPT:
            self.failures += result.failures[: MAX_KEPT - len(self.failures)]
        self.warned += sum(bool(item.warnings) for item in result.items)
        for warning in result.warnings:
            pattern = warning_pattern(warning)
            if pattern in self.noted or len(self.noted) < MAX_KEPT:
                count, first = self.noted.get(pattern, (0, result.source))
                self.noted[pattern] = (count + 1, first)
        for item in result.items:
            duration = item.measured.get("duration")
            self.sound += duration if isinstance(duration, float) else 0.0
        outputs = result.outputs
        self.files += len(outputs)
        if len(self.first_outputs) < MAX_KEPT:
            self.first_outputs += outputs[: MAX_KEPT - len(self.first_outputs)]

    def read_from(self, journal: str, start: int, end: int) -> None:
        """Set the journal and the offsets between which the run's records are."""
        self._journal = (journal, start, end)
