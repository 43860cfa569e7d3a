"""The hidden folder below an output root that holds a run's own files: journals, locks, and owners of temporaries."""

from __future__ import annotations

import re

from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.part import Part

OWNERS = f"{RESERVED_PREFIX}/owners"
"""Folder with a file for each owner of temporaries, which is locked while the owner lives."""

NEW_JOURNAL = f"{RESERVED_PREFIX}/new-journal"
"""Path of a journal that is about to replace that of the whole run."""

QUARANTINE_MARKER = f"{RESERVED_PREFIX}-quarantine"
"""Name of the hidden file by which a quarantine is known: a search for sources finds nothing in such a folder."""

_PART_JOURNAL = re.compile(
    rf"{re.escape(RESERVED_PREFIX)}/journal-([1-9]\d{{0,8}})-of-([1-9]\d{{0,8}})\.jsonl", re.ASCII
)


def journal_path(part: Part | None = None) -> str:
    """Return the path of the journal of a whole run, or of a part of one, below the output root."""
    return f"{RESERVED_PREFIX}/journal{part.suffix if part else ''}.jsonl"


def lock_path(part: Part | None = None) -> str:
    """Return the path of the lock of a whole run, or of a part of one, below the output root."""
    return f"{RESERVED_PREFIX}/lock{part.suffix if part else ''}"


def is_journal(name: str) -> bool:
    """Return whether a file of the folder is a journal, by its name."""
    return name.startswith("journal") and name.endswith(".jsonl")


def part_of_journal(path: str) -> Part | None:
    """Return the part that a journal belongs to, by its name; None for other journals."""
    found = _PART_JOURNAL.fullmatch(path)
    return Part(int(found[1]), int(found[2])) if found else None
