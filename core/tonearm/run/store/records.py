"""The records of a journal: their fields, and how they are written and read.

A record is one line of JSON. Its member ``record`` names its class. What a class does not describe is not a record:
lines that make no sense are skipped and counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tonearm.content_hash import SourceState
from tonearm.errors import UsageError
from tonearm.run.prepared import Failure

JOURNAL_VERSION = 2
"""Version of the format that this module reads and writes."""

PublishedFile = tuple[str, int, str]
"""Path below the output root, size in bytes, and hash of a published file."""


class PublishedItem(Struct, frozen=True, array_like=True):
    """An item with its files, as records of one output list it.

    Parameters
    ----------
    key, index
        Key and index of the item within its source.
    files
        File of the output, followed by its sidecars.
    """

    key: str
    index: int
    files: list[PublishedFile]


class OutputItems(Struct, frozen=True, array_like=True):
    """The items of one source for one output.

    Parameters
    ----------
    fingerprint
        Fingerprint of the output.
    items
        Items.
    """

    fingerprint: str
    items: list[PublishedItem]


class MeasuredItem(Struct, frozen=True):
    """An item of one output with what was measured of it.

    Parameters
    ----------
    key, index
        Key and index of the item within its source.
    fingerprint
        Fingerprint of the output.
    files
        Paths and sizes of the item's files.
    measured
        Measurements by name.
    warnings
        Warnings about the item.
    """

    key: str
    index: int
    fingerprint: str
    files: list[tuple[str, int]]
    measured: Mapping[str, float | int | str | None] = {}
    warnings: list[str] = []


class RunRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="run"):
    """A run begins; the records up to the next one belong to it.

    Parameters
    ----------
    journal
        Version of the format.
    time
        Time of the start in seconds since 1970.
    pipeline
        Fingerprint of the pipeline.
    file
        Path of the pipeline's file; empty if it came from Python.
    plugins
        Names of the plugins, each with its package and version.
    outputs
        Fingerprints of the outputs, in order.
    part
        Number of the part and count of all parts; None for a run of all sources.
    sources
        Number of sources to convert.
    skipped
        Number of sources with nothing left to do.
    jobs
        Number of worker processes; 0 for none.
    """

    journal: Literal[2] = 2
    time: float
    pipeline: str
    file: str = ""
    plugins: list[tuple[str, str]] = []
    outputs: list[str] = []
    part: tuple[int, int] | None = None
    sources: int
    skipped: int = 0
    jobs: int = 0


class BeginRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="begin"):
    """Whole files of a source are about to be renamed to their final names.

    Parameters
    ----------
    source
        Absolute path of the source, or the name that it has in the call.
    folder
        Folder of the source below the fixed part of the pattern that found it.
    state
        State of the source when it was read.
    outputs
        Items by output.
    """

    source: str
    folder: str
    state: SourceState | None
    outputs: list[OutputItems]


class OutRecord(Struct, frozen=True, kw_only=True, tag_field="record", tag="out"):
    """Items of a source are published.

    Parameters
    ----------
    source, folder
        Source, as in `BeginRecord`.
    items
        Items, once for each output.
    """

    source: str
    folder: str
    items: list[MeasuredItem]


class ErrRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="record", tag="err"):
    """An item failed.

    Parameters
    ----------
    source, folder
        Source, as in `BeginRecord`.
    key, index
        Key and index of the item within the source.
    code, message, hint
        Error.
    kept
        Path of the copy of the waveform that was refused; empty if there is none.
    """

    source: str
    folder: str
    key: str
    index: int
    code: str
    message: str
    hint: str
    kept: str = ""

    @classmethod
    def of(cls, source: str, folder: str, failure: Failure) -> ErrRecord:
        """Return the record of a failure."""
        return cls(
            source=source,
            folder=folder,
            key=failure.key,
            index=failure.index,
            code=failure.code,
            message=failure.message,
            hint=failure.hint,
            kept=failure.kept,
        )

    def failure(self) -> Failure:
        """Return the failure that was recorded."""
        return Failure(self.source, self.key, self.index, self.code, self.message, self.hint, kept=self.kept)


class EndRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="record", tag="end"):
    """A source is finished for some outputs.

    Parameters
    ----------
    source, folder, state
        Source, as in `BeginRecord`.
    hash
        Hash of the source's content; empty if it is not known.
    outputs
        Items that are published, by output; also those that an earlier run published.
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
    outputs: list[OutputItems]
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


class OtherJournalError(UsageError):
    """A journal was written by another version of tonearm, in another format."""

    default_code = "other-journal"


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
    return _encode_escaped(_without_infinities(msgspec.to_builtins(record))).encode("ascii") + b"\n"


def _without_infinities(value: Any) -> Any:
    """Return a value with None for every number that JSON lacks, as msgspec writes it."""
    if isinstance(value, dict):
        return {key: _without_infinities(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_infinities(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def line_start(kind: type[Record]) -> bytes:
    """Return the bytes with which the lines of a class of records start."""
    return f'{{"record":"{kind.__struct_config__.tag}"'.encode()


def decode_record(line: bytes) -> Record | None:
    """Return the record in a line; None if there is none.

    Raises
    ------
    OtherJournalError
        If the line is the start of a run in another format.
    """
    try:
        record: Record = _decode(line)
        if type(record) is not RunRecord:
            return record
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # An unknown record, or one that lacks something. Besides, msgspec refuses lone surrogates, which stand for
        # names that are not UTF-8. The json module reads them.
        pass
    try:
        fields = json.loads(line, parse_float=_finite, parse_constant=_finite)
        _check_version(fields)
        record = msgspec.convert(fields, Record)
    except (ValueError, msgspec.MsgspecError, RecursionError):  # msgspec's are ValueErrors from 0.21 on only
        return None
    return record


def _finite(text: str) -> float:
    """Return a number. One that is infinite or NaN makes no sense in a record."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_version(fields: object) -> None:
    """Raise `OtherJournalError` for the start of a run in another format. That of 0.1.0 does not name its format."""
    if not isinstance(fields, dict) or fields.get("record") != "run":
        return
    version = fields.get("journal", 1)
    if type(version) is not int:
        return
    if version < JOURNAL_VERSION:
        raise OtherJournalError(
            "the journal was written by tonearm 0.1.0",
            hint="choose another output folder; or remove its folder .tonearm and convert everything again, by force",
        )
    if version > JOURNAL_VERSION:
        raise OtherJournalError(
            f"the journal has format {version}, and this tonearm reads format {JOURNAL_VERSION}",
            hint="update tonearm, or choose another output folder",
        )
