"""The rules that every run has to hold, whatever is done to it; they look at the disk, and know nothing of the code.

A rule returns what breaks it, as lines; no line is good news.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import xxhash

Outputs = dict[str, bytes]
Seen = dict[str, tuple[int, int]]


def visible(root: Path) -> Outputs:
    """Return the files that people see below a folder, with their content."""
    return {name: (root / name).read_bytes() for name in _names(root) if not _is_hidden(name)}


def seen(root: Path) -> Seen:
    """Return which files those are: a file that was written anew is another one."""
    states = {name: (root / name).stat() for name in _names(root) if not _is_hidden(name)}
    return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}


def temporaries(root: Path) -> list[str]:
    """Return what runs left behind."""
    return [f"left behind: {name}" for name in _names(root) if _is_hidden(name) and not name.startswith(".tonearm/")]


def whole(root: Path, *allowed: Outputs) -> list[str]:
    """Every file under a final name is one of those that may be there."""
    return [
        f"not whole: {name}, {len(content)} bytes"
        for name, content in visible(root).items()
        if content not in [one[name] for one in allowed if name in one]
    ]


def known(root: Path) -> list[str]:
    """Every file under a final name has a record in a journal, with its size and hash."""
    begun = {
        (record["output"], record["size"], record["hash"]) for record in records(root) if record["record"] == "begin"
    }
    found = visible(root).items()
    return [
        f"not in the journal: {name}"
        for name, content in found
        if (name, len(content), xxhash.xxh3_128_hexdigest(content)) not in begun
    ]


def complete(root: Path, expected: Outputs) -> list[str]:
    """All is there that should be, as it should be, and nothing else."""
    found = visible(root)
    lines = [f"missing: {name}" for name in expected.keys() - found.keys()]
    lines += [f"too much: {name}" for name in found.keys() - expected.keys()]
    return lines + [f"wrong: {name}" for name in expected.keys() & found.keys() if expected[name] != found[name]]


def not_redone(before: Seen, after: Seen) -> list[str]:
    """No file was written again that was there already."""
    return [f"done again: {name}" for name in before if after.get(name) != before[name]]


def records(root: Path) -> list[dict]:
    """Return what the journals say, line by line."""
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


def _names(root: Path) -> list[str]:
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".tonearm") for part in name.split("/"))
