"""The hidden folder below an output root that holds a run's own files: its journal and its locks."""

from __future__ import annotations

import os

from tonearm.errors import OutputError
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.part import Part


def folder_path(root: str) -> str:
    """Return the path of the folder below an output root."""
    return os.path.join(root, RESERVED_PREFIX)


def journal_path(root: str, part: Part | None = None) -> str:
    """Return the path of the journal of a whole run, or of a part of one."""
    return os.path.join(root, RESERVED_PREFIX, f"journal{part.suffix if part else ''}.jsonl")


def lock_path(root: str, part: Part | None = None) -> str:
    """Return the path of the lock of a whole run, or of a part of one."""
    return os.path.join(root, RESERVED_PREFIX, f"lock{part.suffix if part else ''}")


def find_journals(root: str) -> list[str]:
    """Return the paths of all journals below an output root, ordered by the time of their last change.

    Raises
    ------
    OutputError
        If the folder cannot be read. Treating it as empty would convert everything again.
    """
    try:
        with os.scandir(folder_path(root)) as entries:
            found = [
                (entry.stat().st_mtime_ns, entry.path)
                for entry in entries
                if entry.name.startswith("journal") and entry.name.endswith(".jsonl")
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise cannot_read_journal(error) from error
    return [path for _, path in sorted(found)]


def cannot_read_journal(error: OSError) -> OutputError:
    """Return the error for a journal that cannot be read."""
    return OutputError(f"cannot read the journal: {(error.strerror or str(error)).lower()}")
