"""The journal: what became of each item, one JSON line at a time, so that a second run does only what is missing.

``<out>/.tonearm/journal.jsonl`` is only ever appended to, each record in one ``write``. A line that was torn when a run
was killed is healed by the next, and skipped when read.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonearm.errors import OutputError, TonearmError, one_line

FOLDER = ".tonearm"


class LockedError(TonearmError):
    """Another run holds the output folder (exit status 11)."""

    default_code = "locked"


@dataclass
class History:
    """What earlier runs left.

    Parameters
    ----------
    outputs
        Paths below the output root that a run began to publish, with the last known size and hash.
    ends
        For each source, by name, the last record of its end.
    """

    outputs: dict[str, tuple[int, str]] = field(default_factory=dict)
    ends: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def is_done(self, source: str, state: list[int], pipeline: str, root: Path) -> bool:
        """Say whether nothing is left to do: same pipeline, unchanged source, all outputs there in full size."""
        end = self.ends.get(source)
        if not end or end["failed"] or end["pipeline"] != pipeline or end["state"] != state:
            return False
        return all(_size(root / name) == size for name, size in end["outputs"])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def read_history(root: Path) -> History:
    """Return what the journal below an output root says; a line that is no record is skipped."""
    history = History()
    try:
        lines = (root / FOLDER / "journal.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return history
    for line in lines:
        try:
            record = json.loads(line)
            kind = record["record"]
            if kind == "begin":
                history.outputs[record["output"]] = (record["size"], record["hash"])
            elif kind == "end":
                history.ends[record["source"]] = record
        except (ValueError, KeyError, TypeError):
            continue
    return history


class Journal:
    """The journal of one run, which holds the output folder's lock while it is open.

    Parameters
    ----------
    root
        The output folder; it is made if need be.

    Raises
    ------
    LockedError
        If another run holds the folder.
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        folder = root / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise OutputError(
                f"cannot write to {one_line(root)}: {(error.strerror or str(error)).lower()}", hint="--out DIR"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise LockedError(
                f"another run holds {one_line(root)}", hint="wait until it has ended, or use another --out"
            ) from error
        except OSError:
            # A file system without flock: two runs at once cannot be told apart there.
            pass
        try:
            self._file = os.open(folder / "journal.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            self._heal()
        except OSError as error:
            os.close(self._lock)
            raise OutputError(f"cannot write the journal: {(error.strerror or str(error)).lower()}") from error

    def _heal(self) -> None:
        """End a line that a killed run left without its end."""
        end = os.lseek(self._file, 0, os.SEEK_END)
        if end and os.pread(self._file, 1, end - 1) != b"\n":
            os.write(self._file, b"\n")

    def write(self, record: str, **values: Any) -> None:
        """Append one record.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        line = json.dumps({"record": record, **values}, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("no space left on device")
        except OSError as error:
            raise OutputError(f"cannot write the journal: {(error.strerror or str(error)).lower()}") from error

    def close(self, *, fsync: bool) -> None:
        """Close it and let go of the folder."""
        if fsync:
            os.fsync(self._file)
        os.close(self._file)
        os.close(self._lock)
