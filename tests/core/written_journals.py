"""Journals as runs leave them, written record by record, for the tests of what reads them."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from tonearm.run.part import Part
from tonearm.run.status import StatusReader
from tonearm.run.store.journal import Journal
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import (
    BeginRecord,
    EndRecord,
    ErrRecord,
    MeasuredItem,
    OutputItems,
    OutRecord,
    PublishedItem,
    RunRecord,
    StopRecord,
)

_TIMES = itertools.count(1_700_000_000)


class Source:
    """A source that a run has worked on.

    Parameters
    ----------
    name
        Name, from which the names of the files follow.
    items
        Measurements of each item that was converted, by its key.
    failed
        Error code of each item that failed, by its key.
    outputs
        Fingerprints of the outputs, each with the suffix of its files.
    warnings
        Warnings about each item.
    finished
        Whether the run has finished the source.
    """

    def __init__(
        self, name, items=None, *, failed=None, outputs=None, warnings=(), finished=True, message="no", hint="do"
    ):
        self.name = name
        self.items = {"": {"peak_db": -1.0, "duration": 0.5}} if items is None else items
        self.failed = failed or {}
        self.outputs = {"fp": ".wav"} if outputs is None else outputs
        self.warnings = list(warnings)
        self.finished = finished
        self.message = message
        self.hint = hint

    def files(self, key, suffix):
        return [(f"{self.name}{'-' if key else ''}{key}{suffix}", 100, f"{0:016x}")]

    def records(self):
        path = f"/in/{self.name}.npy"
        where = {"source": path, "folder": "."}
        keys = list(enumerate(self.items))
        published = [
            OutputItems(fingerprint, [PublishedItem(key, index, self.files(key, suffix)) for index, key in keys])
            for fingerprint, suffix in self.outputs.items()
        ]
        if keys:
            yield BeginRecord(**where, state=(1, 2), outputs=published)
            measured = [
                MeasuredItem(
                    key=key,
                    index=index,
                    fingerprint=fingerprint,
                    files=[file[:2] for file in self.files(key, suffix)],
                    measured=self.items[key],
                    warnings=self.warnings,
                )
                for index, key in keys
                for fingerprint, suffix in self.outputs.items()
            ]
            yield OutRecord(**where, items=measured)
        for index, (key, code) in enumerate(self.failed.items()):
            yield ErrRecord(**where, key=key, index=index, code=code, message=self.message, hint=self.hint)
        if self.finished:
            yield EndRecord(
                **where, state=(1, 2), hash="0" * 16, outputs=published, failed=len(self.failed), seconds=0.5
            )


def write_run(
    out, *sources, part=None, pipeline="p", total=None, skipped=0, stop="", began=None, outputs=("fp",), file="/p.yaml"
):
    """Append a run to its journal; ``stop`` is the reason of its end, or None if it was killed.

    A run takes 10 seconds, and begins 1 second after the one before it was written.
    """
    store = LocalStore(str(out))
    store.lock(part and Part(*part), create=True)
    began = next(_TIMES) if began is None else began
    with contextlib.closing(store.open_journal(part and Part(*part))) as opened:
        journal = Journal(opened)
        journal.write(
            RunRecord(
                time=float(began),
                pipeline=pipeline,
                file=file,
                outputs=list(outputs),
                part=part,
                sources=len(sources) if total is None else total,
                skipped=skipped,
            )
        )
        for source in sources:
            for record in source.records():
                journal.write(record)
        if stop is not None:
            journal.write(StopRecord(time=began + 10.0, reason=stop))
    store.close()


def append_lines(out, *lines, name="journal.jsonl"):
    """Append lines of text or bytes to a journal as they are."""
    with (Path(out) / ".tonearm" / name).open("ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else line.encode())


HOSTILE = "\x1b[31m\n\u202eevil\udcff"
"""A text that would change a terminal's colours, start a new line, and turn the direction of writing."""


def status_of(store, ranks=None):
    """Return the status of a store, all of whose records have been read."""
    reader = StatusReader(store, ranks or {})
    for _record in reader:
        pass
    return reader.status
