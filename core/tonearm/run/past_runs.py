"""The runs that journals tell of: single runs, and runs that parts share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tonearm.run.store.records import RunRecord

MAX_MISSING = 1000
"""Largest number of missing parts that are listed."""

PartOf = tuple[int, int]
"""Number of a part, and count of all parts."""


@dataclass
class PastRun:
    """One run, as its journal describes it.

    Attributes
    ----------
    journal
        Name of the journal. The journal of a part is named for it.
    pipeline
        Path of the pipeline's file, or the fingerprint of a pipeline that came from Python.
    fingerprint
        Fingerprint of the pipeline.
    part
        Number of the part and count of all parts; None for a run of all sources.
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
    fingerprint: str
    part: PartOf | None
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

    @property
    def left(self) -> int:
        """Number of sources that the run has not finished."""
        return max(self.sources - self.finished, 0)

    @property
    def is_whole(self) -> bool:
        """Whether the run has finished all of its sources."""
        return self.state == "finished" and not self.left


@dataclass
class SharedRun:
    """The runs of one pipeline's parts, seen as one run.

    Attributes
    ----------
    pipeline, fingerprint
        Pipeline, as in `PastRun`.
    count
        Number of parts.
    parts
        Last run of each part that has run, by number.
    items
        Number of items that the parts have published, each counted once.
    failed
        Number of items that failed and have not been converted since.
    """

    pipeline: str
    fingerprint: str
    count: int
    parts: dict[int, PastRun] = field(default_factory=dict)
    items: int = 0
    failed: int = 0

    @property
    def missing_count(self) -> int:
        """Number of parts that have never run."""
        return self.count - len(self.parts)

    @property
    def missing(self) -> list[int]:
        """First parts that have never run."""
        found: list[int] = []
        number = 1
        while len(found) < MAX_MISSING and number <= self.count:
            if number not in self.parts:
                found.append(number)
            number += 1
        return found

    @property
    def unfinished(self) -> list[PastRun]:
        """Parts that are running, or whose last run was stopped."""
        return [run for _number, run in sorted(self.parts.items()) if not run.is_whole]

    @property
    def is_whole(self) -> bool:
        """Whether all parts have finished all of their sources."""
        return not self.missing_count and not self.unfinished

    @property
    def sources(self) -> int:
        """Number of sources of the parts that have run."""
        return sum(run.sources + run.skipped for run in self.parts.values())

    @property
    def left(self) -> int:
        """Number of sources that these parts have not finished."""
        return sum(run.left for run in self.parts.values())

    @property
    def began(self) -> float:
        """Time at which the first of the parts' last runs began."""
        return min(run.began for run in self.parts.values())

    @property
    def ended(self) -> float:
        """Time at which the last of the parts' last runs ended."""
        return max(run.ended for run in self.parts.values())


def part_of_record(record: RunRecord) -> PartOf | None:
    """Return the part of a run; None if it is no part, or one that cannot be."""
    return record.part if record.part and 1 <= record.part[0] <= record.part[1] else None


def last_runs(runs: Iterable[PastRun]) -> list[PastRun]:
    """Return the last run of all sources, and the last run of each part that began after it.

    Parameters
    ----------
    runs
        Runs in the order in which they began.
    """
    found: dict[PartOf | None, PastRun] = {}
    for run in runs:
        if run.part is None:
            found.clear()
        found.pop(run.part, None)
        found[run.part] = run
    return list(found.values())


def shared_runs(runs: Iterable[PastRun]) -> list[SharedRun]:
    """Return the runs that parts have shared since the last run of all sources, the latest last.

    Runs of different pipelines or counts of parts are different runs. One that none of the last runs belongs to is
    outdated and left out.

    Parameters
    ----------
    runs
        Runs in the order in which they began.
    """
    runs = list(runs)
    found: dict[tuple[str, int], SharedRun] = {}
    for run in runs:
        if run.part is None:
            found.clear()
            continue
        number, count = run.part
        shared = found.pop((run.fingerprint, count), None) or SharedRun(run.pipeline, run.fingerprint, count)
        shared.parts[number] = run
        found[run.fingerprint, count] = shared
    current = {(run.fingerprint, run.part[1]) for run in last_runs(runs) if run.part}
    return [shared for key, shared in found.items() if key in current]
