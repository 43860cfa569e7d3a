"""The rules that every run keeps, whatever disturbs it. They read the disk and use none of tonearm's code.

Each rule returns its violations, one per line; an empty list is good news.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import xxhash

Outputs = dict[str, bytes]
"""Contents of output files, by name."""

Identities = dict[str, tuple[int, int]]
"""Inodes and modification times of output files, by name."""


def published_files(root: Path) -> Outputs:
    """Return the contents of the files that a user sees below a folder."""
    return {name: (root / name).read_bytes() for name in _names(root) if not _is_hidden(name)}


def identities(root: Path) -> Identities:
    """Return the identities of the files that a user sees; they change when a file is written again."""
    states = {name: (root / name).stat() for name in _names(root) if not _is_hidden(name)}
    return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}


def leftover_files(root: Path) -> list[str]:
    """Return the temporaries that runs left behind."""
    return [f"left behind: {name}" for name in _names(root) if _is_hidden(name) and not name.startswith(".tonearm/")]


def corrupt_files(root: Path, *allowed: Outputs) -> list[str]:
    """Return the published files whose content is none of the allowed ones."""
    return [
        f"not whole: {name}, {len(content)} bytes"
        for name, content in published_files(root).items()
        if content not in [one[name] for one in allowed if name in one]
    ]


def unrecorded_files(root: Path) -> list[str]:
    """Return the published files of which no journal records the size and the hash."""
    begun = {
        tuple(file)
        for record in journal_records(root)
        if record["record"] == "begin"
        for _fingerprint, items in record["outputs"]
        for _key, _index, files in items
        for file in files
    }
    return [
        f"not in the journal: {name}"
        for name, content in published_files(root).items()
        if (name, len(content), xxhash.xxh3_128_hexdigest(content)) not in begun
    ]


def unmeasured_files(root: Path) -> list[str]:
    """Return the published files of which no journal has the measurements."""
    measured = {
        name
        for record in journal_records(root)
        if record["record"] == "out"
        for item in record["items"]
        for name, _size in item["files"]
    }
    return [f"not measured: {name}" for name in published_files(root) if name not in measured]


def differences(root: Path, expected: Outputs) -> list[str]:
    """Return the published files that are missing, unexpected, or wrong."""
    found = published_files(root)
    lines = [f"missing: {name}" for name in expected.keys() - found.keys()]
    lines += [f"too much: {name}" for name in found.keys() - expected.keys()]
    return lines + [f"wrong: {name}" for name in expected.keys() & found.keys() if expected[name] != found[name]]


def rewritten_files(before: Identities, after: Identities) -> list[str]:
    """Return the files that were there before and have been written again, or removed."""
    return [f"done again: {name}" for name in before if after.get(name) != before[name]]


def journal_records(root: Path) -> list[dict]:
    """Return the records of all journals; lines that are torn are left out."""
    found = []
    for path in sorted((root / ".tonearm").glob("journal*.jsonl")) if (root / ".tonearm").is_dir() else []:
        for line in path.read_bytes().split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                found.append(record)
    return found


def last_records(root: Path) -> tuple[dict, dict]:
    """Return what the journals say of each source in the end, but for times."""
    ends, outs = {}, {}
    for record in journal_records(root):
        if record["record"] == "end":
            ends[record["source"]] = (record["state"], record["hash"], record["outputs"], record["failed"])
        elif record["record"] == "out":
            for item in record["items"]:
                outs[record["source"], item["key"], item["index"]] = item
    return ends, outs


def count_records(root: Path, kind: str) -> int:
    """Return the number of records of a kind in the journals."""
    return sum(record["record"] == kind for record in journal_records(root))


def _names(root: Path) -> list[str]:
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".tonearm") for part in name.split("/"))
