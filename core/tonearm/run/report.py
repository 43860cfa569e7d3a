"""The report of a run. Its size does not grow with the number of sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tonearm.run.prepared import Failure
from tonearm.run.result import Result

if TYPE_CHECKING:
    from tonearm.run.store.records import Record
    from tonearm.run.store.store import Store

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
        Number of files that are no sources, because an earlier run wrote them.
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
    _journal: tuple[Store, str, int, int] | None = None

    @property
    def ok(self) -> bool:
        """Whether the run finished all sources and no item failed."""
        return not self.failed and not self.stopped

    @property
    def outputs(self) -> list[Path]:
        """Paths of all published files in order, read from the journal."""
        from tonearm.run.store.records import OutRecord

        found = (record for record in self._records() if isinstance(record, OutRecord))
        return [self.out / path for record in found for item in record.items for path, _size in item.files]

    @property
    def errors(self) -> list[Failure]:
        """All failures in order, read from the journal."""
        from tonearm.run.store.records import ErrRecord

        return [record.failure() for record in self._records() if isinstance(record, ErrRecord)]

    def add(self, result: Result) -> None:
        """Count a result."""
        items = result.by_item().values()
        self.sources += result.last
        self.converted += len(items)
        self.failed += len(result.failures)
        for failure in result.failures:
            self.codes[failure.code] += 1
        if len(self.failures) < MAX_KEPT:
            self.failures += result.failures[: MAX_KEPT - len(self.failures)]
        self.warned += sum(any(output.warnings for output in outputs) for outputs in items)
        for warning in result.warnings:
            pattern = warning_pattern(warning)
            if pattern in self.noted or len(self.noted) < MAX_KEPT:
                count, first = self.noted.get(pattern, (0, result.source))
                self.noted[pattern] = (count + 1, first)
        for outputs in items:
            duration = outputs[0].measured.get("duration")
            self.sound += duration if isinstance(duration, float) else 0.0
        files = result.outputs
        self.files += len(files)
        if len(self.first_outputs) < MAX_KEPT:
            self.first_outputs += files[: MAX_KEPT - len(self.first_outputs)]

    def read_from(self, store: Store, journal: str, start: int, end: int) -> None:
        """Set the journal and the offsets between which the run's records are."""
        self._journal = (store, journal, start, end)

    def _records(self) -> Iterator[Record]:
        from tonearm.run.store.journal import JournalReader

        if self._journal:
            for _offset, record in JournalReader(*self._journal):
                yield record
