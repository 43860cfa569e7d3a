"""A second store: journals, names and outputs are in memory, and only temporaries on a disk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tonearm.content_hash import FileState, new_hasher
from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.lock import LockedError
from tonearm.run.store.owners import Owner
from tonearm.run.store.run_folder import journal_path
from tonearm.run.store.store import EntryKind, JournalFile, Store
from tonearm.run.store.temporaries import Temporaries, temporary_path


@dataclass
class Place:
    """What stores of one root share."""

    outputs: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, FileState] = field(default_factory=dict)
    journals: dict[str, bytearray] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    locks: set[Part | None] = field(default_factory=set)


PLACES: dict[str, Place] = {}


class MemoryJournalFile(JournalFile):
    """A journal in memory."""

    def __init__(self, place: Place, name: str) -> None:
        self.name = name
        self._place = place
        self._lines = place.journals.setdefault(name, bytearray())

    def append(self, line: bytes) -> None:
        self._lines += line
        self._place.times[self.name] = time.time()

    def flush(self) -> None:
        pass

    @property
    def size(self) -> int:
        return len(self._lines)

    def close(self) -> None:
        pass


class MemoryStore(Store):
    """A place of outputs in memory.

    Parameters
    ----------
    root
        Name of the place.
    scratch
        Folder for temporaries.
    """

    def __init__(self, root: str, scratch: str) -> None:
        super().__init__(root)
        self._scratch = LocalStore(scratch)
        self._place = PLACES.setdefault(root, Place())
        self._held: set[Part | None] = set()

    def __reduce__(self):
        return MemoryStore, (self.root, self._scratch.scratch)

    @property
    def scratch(self) -> str:
        return self._scratch.scratch

    def lock(self, part: Part | None, *, create: bool) -> str:
        others = self._place.locks - self._held
        if others and (part is None or None in others or part in others):
            raise LockedError(f"another run holds {self.root}", hint="wait until it has ended")
        self._held.add(part)
        self._place.locks.add(part)
        return ""

    def unlock(self) -> None:
        self._place.locks -= self._held
        self._held.clear()

    def is_running(self, part: Part | None) -> bool:
        return part in self._place.locks

    def journals(self) -> list[str]:
        return sorted(self._place.journals, key=self._place.times.__getitem__)

    def journal_name(self, part: Part | None) -> str:
        return journal_path(part)

    def open_journal(self, part: Part | None) -> JournalFile:
        self._place.times.setdefault(journal_path(part), time.time())
        return MemoryJournalFile(self._place, journal_path(part))

    def journal_size(self, name: str) -> int:
        return len(self._place.journals.get(name, b""))

    def journal_time(self, name: str) -> float:
        return self._place.times.get(name, 0.0)

    def read_journal(self, name: str, start: int = 0) -> Iterator[bytes]:
        yield from bytes(self._place.journals.get(name, b""))[start:].splitlines(keepends=True)

    def read_line(self, name: str, offset: int) -> bytes:
        return next(self.read_journal(name, offset), b"")

    def replace_journal(self, lines: Iterable[bytes]) -> None:
        self._place.journals[journal_path()] = bytearray(b"".join(lines))
        self._place.times[journal_path()] = time.time()

    def remove_journal(self, part: Part) -> None:
        self._place.journals.pop(journal_path(part), None)
        self._place.times.pop(journal_path(part), None)

    def state(self, path: str) -> FileState | None:
        return self._place.states.get(path)

    def hash(self, path: str) -> str:
        content = self._place.outputs.get(path)
        return "" if content is None else new_hasher(content).hexdigest()

    def kind(self, path: str) -> EntryKind:
        if path in self._place.outputs:
            return "file"
        return "folder" if any(name.startswith(f"{path}/") for name in self._place.outputs) else "nothing"

    def path_of(self, source: str) -> str | None:
        return None

    def free_space(self) -> int | None:
        return None

    def publish(self, file: PreparedFile) -> None:
        temporary = Path(self.scratch, temporary_path(file))
        try:
            self.put(file.output, temporary.read_bytes())
            temporary.unlink()
        except OSError as error:
            raise OutputError(f"cannot write {self.root}/{file.output}: {error.strerror}") from error

    def put(self, path: str, content: bytes) -> None:
        """Give an output its content."""
        self._place.outputs[path] = content
        self._place.states[path] = (len(content), time.time_ns())

    def remove(self, path: str) -> None:
        """Remove an output, as somebody else would."""
        del self._place.outputs[path], self._place.states[path]

    def contents(self) -> dict[str, bytes]:
        """Return all outputs."""
        return dict(self._place.outputs)

    def flush(self, folders: Iterable[str]) -> None:
        pass

    def flush_root(self) -> None:
        pass

    def owner(self) -> Owner:
        return self._scratch.owner()

    def mark(self) -> str:
        return self._scratch.mark()

    def sees(self, mark: str) -> bool:
        return self._scratch.sees(mark)

    def is_held(self, mark: str) -> bool:
        return self._scratch.is_held(mark)

    def temporaries(self, owner: Owner | None, *, fsync: bool, hashed: bool = True) -> Temporaries:
        return self._scratch.temporaries(owner, fsync=fsync, hashed=hashed)

    def take_over(self, owner: str) -> None:
        self._scratch.take_over(owner)

    def discard(self, files: Iterable[PreparedFile]) -> None:
        self._scratch.discard(files)

    def sweep(self, owner: str = "", folders: Iterable[str] | None = None) -> bool:
        return self._scratch.sweep(owner, folders)

    def has_dead_owner(self) -> bool:
        return self._scratch.has_dead_owner()

    def close(self) -> None:
        self.unlock()
        self._scratch.close()
