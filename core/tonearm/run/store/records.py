"""Reading journals."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import msgspec

from tonearm.errors import OutputError
from tonearm.run.part import FOLDER

_decode = msgspec.json.Decoder().decode


def find_journals(root: str) -> list[str]:
    """Return the journals below an output root, the one that was written last at the end.

    Raises
    ------
    OutputError
        If their folder cannot be looked into: nobody would know what is done.
    """
    folder = os.path.join(root, FOLDER)
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.stat().st_mtime_ns, entry.path)
                for entry in entries
                if entry.name.startswith("journal") and entry.name.endswith(".jsonl")
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _cannot_read(error) from error
    return [path for _, path in sorted(found)]


def runs_in_order(files: list[str]) -> list[tuple[int, int, int | None]]:
    """Return the runs that journals tell of as they followed one another: number of the journal, from where to where.

    Shards and whole runs have journals of their own, and the last of them has the last word on a source, wherever.
    """
    if len(files) == 1:
        return [(0, 0, None)]
    found: list[tuple[float, int, int, int | None]] = []
    for number, path in enumerate(files):
        time, start = 0.0, 0
        for offset, record in read_records(path):
            if record.get("record") == "run":
                found.append((time, number, start, offset))
                start = offset
                # Within a journal the order is certain, whatever was done to the clock.
                time = max(time, record["time"]) if isinstance(record.get("time"), float) else time
        found.append((time, number, start, None))
    return [(number, start, end) for _time, number, start, end in sorted(found, key=lambda one: one[:3])]


def read_records(path: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a journal with the offset of each, and at last its length with an empty one.

    Raises
    ------
    OutputError
        If it is there and cannot be read.
    """
    offset = start
    try:
        with open(path, "rb") as file:
            file.seek(start)
            for line in file:
                if end is not None and offset >= end:
                    break
                record = parse_record(line)
                if record:
                    yield offset, record
                offset += len(line)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _cannot_read(error) from error
    yield offset, {}


def _cannot_read(error: OSError) -> OutputError:
    return OutputError(f"cannot read the journal: {(error.strerror or str(error)).lower()}")


def parse_record(line: bytes) -> dict[str, Any] | None:
    """Return a record, or None if a line is none."""
    try:
        record = _decode(line)
    except msgspec.DecodeError:
        try:
            record = json.loads(line)  # takes the lone surrogates of names that are not UTF-8
        except (ValueError, RecursionError):
            return None
    except (UnicodeDecodeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
