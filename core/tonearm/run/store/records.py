"""The records of a journal: their fields, and how they are written and read.

A record is one line of JSON. Its member ``record`` names its class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from tonearm.run.prepared import Failure
from tonearm.run.sources.content_hash import SourceState
from tonearm.run.store.run_folder import cannot_read_journal

OFFSET_BITS = 48
"""Bits of a position that hold the offset within a journal. The other 16 number the journals."""

PublishedFile = tuple[str, int, str]
"""Path below the output root, size in bytes, and hash of a published file."""

PublishedItem = tuple[str, int, list[PublishedFile]]
"""Key and index of an item, and its files."""


class RunRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="run"):
    """A run begins; the records up to the next one belong to it.

    Parameters
    ----------
    time
        Time of the start in seconds since 1970.
    pipeline
        Fingerprint of the pipeline.
    file
        Path of the pipeline's file; empty if it came from Python.
    plugins
        Names of the plugins, each with its package and version.
    sources
        Number of sources to convert.
    skipped
        Number of sources with nothing left to do.
    jobs
        Number of worker processes; 0 for none.
    """

    time: float
    pipeline: str
    file: str = ""
    plugins: list[tuple[str, str]] = []
    sources: int
    skipped: int = 0
    jobs: int = 0


class BeginRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="begin"):
    """A whole file is about to be renamed to its final name.

    Parameters
    ----------
    output
        Path of the file below the output root.
    size
        Size of the file in bytes.
    hash
        Hash of the file.
    source
        Absolute path of the source, or the name of an array.
    folder
        Folder of the source below the fixed part of the pattern that found it.
    state
        State of the source when it was read.
    key, index
        Key and index of the item within the source.
    files
        Number of files of the item.
    """

    output: str
    size: int
    hash: str
    source: str
    folder: str
    state: SourceState | None
    key: str
    index: int
    files: int


class OutRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="out"):
    """An item is published.

    Parameters
    ----------
    source, folder, key, index
        Source and item, as in `BeginRecord`.
    outputs
        Paths and sizes of its files.
    measured
        Measurements by name.
    warnings
        Warnings about the item.
    """

    source: str
    folder: str
    key: str
    index: int
    outputs: list[tuple[str, int]]
    measured: dict[str, Any]
    warnings: list[str]


class ErrRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="err"):
    """An item failed.

    Parameters
    ----------
    source, folder, key, index
        Source and item, as in `BeginRecord`.
    code, message, hint
        Error.
    """

    source: str
    folder: str
    key: str
    index: int
    code: str
    message: str
    hint: str

    def failure(self) -> Failure:
        """Return the failure that was recorded."""
        return Failure(self.source, self.key, self.index, self.code, self.message, self.hint)


class EndRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="record", tag="end"):
    """A source is finished.

    Parameters
    ----------
    source, folder, state
        Source, as in `BeginRecord`.
    hash
        Hash of the source's content; empty if it is not known.
    items
        Items that are published, with their files; also those that an earlier run published.
    failed
        Number of items that failed.
    seconds
        Time that the source took.
    renewed
        Whether the record only repeats an earlier one with a new state: the content was the same.
    """

    source: str
    folder: str
    state: SourceState | None
    hash: str
    items: list[PublishedItem]
    failed: int
    seconds: float
    renewed: bool = False


class SyncRecord(Struct, frozen=True, tag_field="record", tag="sync"):
    """The names of all files so far are on the disk."""


class StopRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="stop"):
    """A run ended and left no temporaries.

    Parameters
    ----------
    time
        Time of the end in seconds since 1970.
    converted, failed
        Number of items.
    reason
        Why the run ended early; empty if it did not.
    """

    time: float = 0.0
    converted: int = 0
    failed: int = 0
    reason: str = ""


Record = RunRecord | BeginRecord | OutRecord | ErrRecord | EndRecord | SyncRecord | StopRecord

_encode = msgspec.json.Encoder().encode
_encode_escaped = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = msgspec.json.Decoder(Record).decode


def encode_record(record: Record) -> bytes:
    """Return a record as a line of ASCII."""
    try:
        line = _encode(record)
        if line.isascii():
            return line + b"\n"
    except (UnicodeEncodeError, OverflowError):  # a name that is not UTF-8, or a number beyond 64 bits
        pass
    return _encode_escaped(msgspec.to_builtins(record)).encode("ascii") + b"\n"


def decode_record(line: bytes) -> Record | None:
    """Return the record in a line; None if there is none."""
    try:
        record: Record = _decode(line)
    except msgspec.ValidationError:  # an unknown record, or one that lacks something
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # msgspec refuses lone surrogates, which stand for names that are not UTF-8. The json module reads them.
        try:
            record = msgspec.convert(json.loads(line), Record)
        except (ValueError, RecursionError):
            return None
    return record


def read_records(path: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Record | None]]:
    """Yield the records of a journal with their offsets. The last pair is the journal's length and None.

    Parameters
    ----------
    path
        Path of the journal. One that does not exist is empty.
    start, end
        Offsets of the part to read.

    Raises
    ------
    OutputError
        If the journal cannot be read.
    """
    offset = start
    try:
        with open(path, "rb") as file:
            file.seek(start)
            for line in file:
                if end is not None and offset >= end:
                    break
                record = decode_record(line)
                if record is not None:
                    yield offset, record
                offset += len(line)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise cannot_read_journal(error) from error
    yield offset, None


def runs_in_order(journals: list[str]) -> list[tuple[int, int, int | None]]:
    """Return the runs that journals tell of, in the order in which they began.

    Parts and whole runs have separate journals. The last run that did a source decides what is known about it.

    Returns
    -------
    list of (number, start, end)
        Number of the journal, and offsets of the run's first record and of the first record after it.
    """
    if len(journals) == 1:
        return [(0, 0, None)]
    found: list[tuple[float, int, int, int | None]] = []
    for number, path in enumerate(journals):
        time, start = 0.0, 0
        for offset, record in read_records(path):
            if isinstance(record, RunRecord):
                found.append((time, number, start, offset))
                start = offset
                # Within a journal the order is certain, even if the clock was set back.
                time = max(time, record.time)
        found.append((time, number, start, None))
    return [(number, start, end) for _time, number, start, end in sorted(found, key=lambda run: run[:3])]
