"""The report of a run. Its size does not grow with the number of sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tonearm.errors.text import counted, item_name
from tonearm.reporting.worker_rates import counts_text
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


def left_out(outputs: int) -> str:
    """Return the number of outputs among the files that were found, in words."""
    return f"{outputs} output{'' if outputs == 1 else 's'} of earlier runs left out"


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


@dataclass(repr=False)
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
    workers
        Number of sources that each worker has finished, by name, if the executor names its workers.
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
    workers: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = ""
    _journal: tuple[Store, str, int, int] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.counts())} in {self.seconds:.1f} s, in {str(self.out)!r}>"

    def _repr_html_(self) -> str:
        """Return the counts for notebooks, with the first files, failures and warnings."""
        return "".join(_tables(self))

    def counts(self) -> list[str]:
        """Return the counts of the run in words; those that are 0 are left out, except the first two."""
        left = self.total - self.sources
        found = [f"{self.converted} converted", f"{self.failed} failed"]
        found += [f"{self.warned} with warnings"] if self.warned else []
        found += [f"{self.skipped} done before"] if self.skipped else []
        found += [f"{left} left"] if left else []
        found += [left_out(self.outputs_left_out)] if self.outputs_left_out else []
        return found

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


def _tables(report: Report) -> Iterator[str]:
    """Yield the tables of a report as HTML: counts, files, failures, warnings."""
    from tonearm.notebook.html import table_html

    facts = [*report.counts(), f"{report.seconds:.1f} s"]
    facts += [f"{report.sound:.1f} s of sound"] if report.sound else []
    rows = [("Items", ", ".join(facts)), ("Files", f"{counted(report.files, 'file')} below {report.out}")]
    rows += [("Workers", counts_text(report.workers))] if report.workers else []
    rows += [("Warning", warning) for warning in report.warnings]
    state = f"stopped: {report.stopped}" if report.stopped else "finished, with failures"
    yield table_html(("Run", "finished" if report.ok else state), rows)
    if report.failures:
        yield table_html(
            (_heading("Failed", len(report.failures), report.failed), "Code", "Message", "Hint"),
            ((item_name(one.source, one.key, one.index), one.code, one.message, one.hint) for one in report.failures),
        )
    if report.noted:
        kinds = sorted(report.noted.items(), key=lambda entry: -entry[1][0])
        yield table_html(("Warnings", "Number", "First"), ((kind, *counts) for kind, counts in kinds))
    if report.first_outputs:
        heading = _heading("File", len(report.first_outputs), report.files)
        yield table_html((heading,), ((report.out / name,) for name in report.first_outputs))


def _heading(name: str, shown: int, count: int) -> str:
    return name if shown == count else f"{name} (the first {shown} of {count})"
