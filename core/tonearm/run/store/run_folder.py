"""The hidden folder below an output root that holds a run's own files: journals, locks, and owners of temporaries."""

from __future__ import annotations

from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.part import Part

OWNERS = f"{RESERVED_PREFIX}/owners"
"""Folder with a file for each owner of temporaries, which is locked while the owner lives."""


def journal_path(part: Part | None = None) -> str:
    """Return the path of the journal of a whole run, or of a part of one, below the output root."""
    return f"{RESERVED_PREFIX}/journal{part.suffix if part else ''}.jsonl"


def lock_path(part: Part | None = None) -> str:
    """Return the path of the lock of a whole run, or of a part of one, below the output root."""
    return f"{RESERVED_PREFIX}/lock{part.suffix if part else ''}"


def is_journal(name: str) -> bool:
    """Return whether a file of the folder is a journal, by its name."""
    return name.startswith("journal") and name.endswith(".jsonl")
