"""What became of a run; it does not grow with the number of sources."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tonearm.run.prepared import Failure
from tonearm.run.result import Result

KEPT = 20
"""So many failures, outputs and kinds of warnings are held; the journal has all."""

_NUMBER = re.compile(r"-?\d[\d.,:]*(?:e[-+]?\d+)?")


def warning_pattern(warning: str) -> str:
    """Return what a warning has in common with others of its kind: all but the numbers."""
    return _NUMBER.sub("…", warning)


def format_size(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
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
    """What became of a run.

    Attributes
    ----------
    out
        The output folder.
    total
        How many sources there were to convert.
    sources
        How many of them are through.
    skipped
        How many more had nothing left to do.
    converted, failed
        How many items.
    codes
        How many items failed, by the code of the error.
    failures
        The first of what failed.
    first_outputs
        The first files that were published, below ``out``.
    files
        How many files were published.
    sound
        Seconds of sound in what was converted.
    warned
        How many items have warnings.
    noted
        How many warnings there were of each kind, numbers left out, and the source that had the first.
    warnings
        What is worth knowing of the run as a whole.
    seconds
        How long it took.
    stopped
        Why it ended before all was done; empty if it did not.
    """

    out: Path
    total: int = 0
    sources: int = 0
    skipped: int = 0
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
        """Whether nothing failed, and all was done."""
        return not self.failed and not self.stopped

    @property
    def outputs(self) -> list[Path]:
        """Every file that was published, in order; read from the journal."""
        from tonearm.run.store.records import read_records

        path, start, end = self._journal
        outs = (record for _, record in read_records(path, start, end) if record.get("record") == "out")
        return [self.out / name for record in outs for name, _size in record["outputs"]] if path else []

    @property
    def errors(self) -> list[Failure]:
        """All that failed, in order; read from the journal."""
        from tonearm.run.store.records import read_records

        path, start, end = self._journal
        errors = (record for _, record in read_records(path, start, end) if record.get("record") == "err")
        fields = ("source", "key", "index", "code", "message", "hint")
        return [Failure(*(record[name] for name in fields)) for record in errors] if path else []

    def add(self, result: Result) -> None:
        """Count a result."""
        self.sources += result.last
        self.converted += len(result.items)
        self.failed += len(result.failures)
        for failure in result.failures:
            self.codes[failure.code] += 1
        if len(self.failures) < KEPT:
            self.failures += result.failures[: KEPT - len(self.failures)]
        self.warned += sum(bool(item.warnings) for item in result.items)
        for warning in result.warnings:
            kind = warning_pattern(warning)
            if kind in self.noted or len(self.noted) < KEPT:
                count, first = self.noted.get(kind, (0, result.source))
                self.noted[kind] = (count + 1, first)
        for item in result.items:
            duration = item.measured.get("duration")
            self.sound += duration if isinstance(duration, float) else 0.0
        outputs = result.outputs
        self.files += len(outputs)
        if len(self.first_outputs) < KEPT:
            self.first_outputs += outputs[: KEPT - len(self.first_outputs)]

    def read_from(self, journal: str, start: int, end: int) -> None:
        """Say where in a journal the run's records are."""
        self._journal = (journal, start, end)
