"""Merging: one journal is made of those of a run's parts.

The new journal is complete on the disk before it replaces the old one, and only then the parts' journals are removed.
If a merge is killed, another one finds what the first has copied already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from tonearm.errors import UsageError, one_line
from tonearm.run.current_records import no_run
from tonearm.run.past_runs import PastRun, SharedRun
from tonearm.run.status import Status, StatusReader
from tonearm.run.store.journal import runs_in_order
from tonearm.run.store.run_folder import part_of_journal
from tonearm.run.store.store import Store

MAX_NAMED = 3
"""Largest number of pipelines that an error names."""


@dataclass
class MergeReport:
    """The report of a merge.

    Attributes
    ----------
    status
        Status of the output folder.
    merged
        Number of journals of parts that were merged.
    unfinished
        Runs whose parts have not all finished, unless the parts of another count have.
    left
        Number of sources that the last run has left, if no parts have run since.
    twice
        Number of outputs that two parts have published.
    first_twice
        First of these outputs, each with the numbers of the parts.
    warning
        Warning of a file system without locks; else empty.
    """

    status: Status
    merged: int = 0
    unfinished: list[SharedRun] = field(default_factory=list)
    left: int = 0
    twice: int = 0
    first_twice: list[tuple[str, int, int]] = field(default_factory=list)
    warning: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing, nothing failed, and nothing was done twice."""
        return not (self.unfinished or self.left or self.status.failed or self.twice)


def merge(store: Store) -> MergeReport:
    """Make one journal of those of a run's parts, and report what is missing or done twice.

    Raises
    ------
    UsageError
        If no run has written to the folder, or the parts are of different pipelines. Nothing has changed then.
    LockedError
        If a run holds the output folder.
    OutputError
        If a journal cannot be read or written.
    """
    if not store.journals():
        raise no_run(store)
    warning = store.lock(None, create=True)
    try:
        reader = StatusReader(store, {})
        for _record in reader:
            pass
        # Journals with other names are not tonearm's. They are read, but neither merged nor removed.
        parts = {name: part for name in store.journals() if (part := part_of_journal(name))}
        last = {run.journal: run for run in reader.records.runs}
        _check_pipelines([last[name] for name in map(_base, parts) if name in last])
        if parts:
            store.replace_journal(_lines(store, list(parts)))
            if any(run.state == "killed" for run in last.values()):
                store.sweep()  # in one journal, a later run would hide that an earlier one was killed
            for part in parts.values():
                store.remove_journal(part)
            store.flush_root()
    finally:
        store.unlock()
    status = reader.status
    return MergeReport(
        status,
        merged=len(parts),
        unfinished=_unfinished(status.shared),
        left=0 if status.shared else sum(run.left for run in status.last),
        twice=reader.records.twice,
        first_twice=reader.records.first_twice,
        warning=warning,
    )


def _check_pipelines(runs: list[PastRun]) -> None:
    """Raise `UsageError` if runs are of different pipelines."""
    found = {run.fingerprint: run for run in runs}
    if len(found) < 2:
        return
    named = [
        f"part {run.part[0]} of {run.part[1]} by {one_line(run.pipeline)}" if run.part else one_line(run.pipeline)
        for run in list(found.values())[:MAX_NAMED]
    ]
    more = f", and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    raise UsageError(
        f"the parts were made by different pipelines: {', '.join(named)}{more}",
        code="different-pipelines",
        hint="run all parts with one pipeline, or run each pipeline into a folder of its own",
    )


def _lines(store: Store, parts: list[str]) -> Iterator[bytes]:
    """Yield the lines of the whole run's journal and of those of parts, in the order in which the runs began."""
    whole = store.journal_name(None)
    journals = [whole, *parts] if store.journal_size(whole) else parts
    sections = runs_in_order(store, journals)
    # If a merge was killed before it had removed all journals of parts, their runs are in the whole run's journal too.
    copied = {_digest(store, whole, start, end) for number, start, end in sections if journals[number] == whole}
    for number, start, end in sections:
        name = journals[number]
        if name == whole or not copied or _digest(store, name, start, end) not in copied:
            yield from _section(store, name, start, end)


def _section(store: Store, name: str, start: int, end: int | None) -> Iterator[bytes]:
    """Yield the lines of a section of a journal. The last line of a killed run may lack its newline, and gets one."""
    offset = start
    for line in store.read_journal(name, start):
        if end is not None and offset >= end:
            break
        offset += len(line)
        yield line if line.endswith(b"\n") else line + b"\n"


def _digest(store: Store, name: str, start: int, end: int | None) -> bytes:
    """Return the hash of a section of a journal; an empty one for a section without lines."""
    found = hashlib.blake2b(digest_size=16)
    is_empty = True
    for line in _section(store, name, start, end):
        found.update(line)
        is_empty = False
    return b"" if is_empty else found.digest()


def _unfinished(shared: list[SharedRun]) -> list[SharedRun]:
    """Return the runs whose parts have not all finished: the latest of each pipeline that no run has finished."""
    whole = {run.fingerprint for run in shared if run.is_whole}
    latest = {run.fingerprint: run for run in shared if run.fingerprint not in whole}
    return list(latest.values())


def _base(name: str) -> str:
    return name.rpartition("/")[2]
