"""Reading journals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from tonearm.run.store.run_folder import cannot_read_journal

_decode = msgspec.json.Decoder().decode


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
        raise cannot_read_journal(error) from error
    yield offset, {}


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
