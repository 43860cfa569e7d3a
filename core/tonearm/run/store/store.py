"""The interface of stores: the places where outputs, and the journals of the runs that made them, live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from tonearm.content_hash import FileState
from tonearm.run.part import Part
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.owners import Owner
from tonearm.run.store.temporaries import Temporaries

EntryKind = Literal["nothing", "file", "folder", "other"]
"""Type of the entry under a name: a regular file, a folder, or something else, such as a link."""


class JournalFile(ABC):
    """The journal of one run, open for appending."""

    name: str
    """Name of the journal within its store."""

    @abstractmethod
    def append(self, lines: bytes) -> None:
        """Append lines with their newlines, in one piece.

        Raises
        ------
        OutputError
            If the journal cannot be written.
        """

    @abstractmethod
    def flush(self) -> None:
        """Flush all lines to the disk.

        Raises
        ------
        OutputError
            If that fails.
        """

    @property
    @abstractmethod
    def size(self) -> int:
        """Size of the journal in bytes."""

    @abstractmethod
    def close(self) -> None:
        """Close the journal."""


class Store(ABC):
    """A place of outputs. All paths are relative to its root and have ``/`` between their parts.

    A run holds the lock of its store, writes the journal, and publishes what workers have prepared. Workers use only
    `owner` and `temporaries`. A store can be pickled, and the copy in a worker holds no lock.

    Attributes
    ----------
    commits
        Side that gives files their final names: the ``driver``, which runs the executor, or each ``worker``.
    root
        Name of the root, for messages.
    """

    commits: ClassVar[Literal["driver", "worker"]] = "driver"

    def __init__(self, root: str) -> None:
        self.root = root

    @property
    @abstractmethod
    def scratch(self) -> str:
        """Path of the local folder below which temporaries are written."""

    # The lock

    @abstractmethod
    def lock(self, part: Part | None, *, create: bool) -> str:
        """Take the lock for a run of all sources, or of a part of them. Return a warning if there are no locks.

        Parameters
        ----------
        part
            Part of the sources that the run converts; None for all.
        create
            Whether to create the root if need be. Otherwise nothing is locked where it does not exist.

        Raises
        ------
        LockedError
            If another run holds the lock.
        OutputError
            If the root cannot be written.
        """

    @abstractmethod
    def unlock(self) -> None:
        """Release the lock."""

    @abstractmethod
    def is_running(self, part: Part | None) -> bool:
        """Return whether a run of all sources, or of a part, holds its lock, as far as that can be known."""

    @property
    def descriptors(self) -> list[int]:
        """Descriptors by which the store holds something. A forked child closes its own by itself."""
        return []

    # Journals

    @abstractmethod
    def journals(self) -> list[str]:
        """Return the names of all journals, ordered by the time of their last change.

        Raises
        ------
        OutputError
            If they cannot be read. Treating them as empty would convert everything again.
        """

    @abstractmethod
    def journal_name(self, part: Part | None) -> str:
        """Return the name of the journal of a run of all sources, or of a part."""

    @abstractmethod
    def open_journal(self, part: Part | None) -> JournalFile:
        """Open the journal of a run for appending. The caller holds the lock.

        Raises
        ------
        OutputError
            If the journal cannot be written.
        """

    @abstractmethod
    def journal_size(self, name: str) -> int:
        """Return the size of a journal in bytes; 0 if it does not exist."""

    @abstractmethod
    def journal_time(self, name: str) -> float:
        """Return the time of a journal's last change in seconds since 1970."""

    @abstractmethod
    def read_journal(self, name: str, start: int = 0) -> Iterator[bytes]:
        """Yield the lines of a journal from an offset on. One that does not exist is empty.

        Raises
        ------
        OutputError
            If the journal cannot be read.
        """

    @abstractmethod
    def read_line(self, name: str, offset: int) -> bytes:
        """Return the line of a journal at an offset; an empty one if it cannot be read."""

    @abstractmethod
    def replace_journal(self, lines: Iterable[bytes]) -> None:
        """Replace the journal of runs of all sources, in one step. The lines are on the disk before it has its name.

        The caller holds the lock for all sources.

        Raises
        ------
        OutputError
            If the journal cannot be written. The old one stays.
        """

    @abstractmethod
    def remove_journal(self, part: Part) -> None:
        """Remove the journal of a part, and the part's lock. The caller holds the lock for all sources.

        Raises
        ------
        OutputError
            If the journal cannot be removed.
        """

    # Outputs

    @abstractmethod
    def state(self, path: str) -> FileState | None:
        """Return the size and the time of change of an output; None if it is no regular file."""

    @abstractmethod
    def hash(self, path: str) -> str:
        """Return the content hash of an output; an empty text if it is no regular file or cannot be read."""

    @abstractmethod
    def kind(self, path: str) -> EntryKind:
        """Return what stands under a name. It may be called in several threads at once.

        Raises
        ------
        OutputError
            If the name leads through a link.
        """

    @abstractmethod
    def path_of(self, source: str) -> str | None:
        """Return the path below the root that a local source has; None if it lies elsewhere."""

    @abstractmethod
    def free_space(self) -> int | None:
        """Return the number of free bytes; None if that is not known."""

    # Publishing

    @abstractmethod
    def publish(self, file: PreparedFile) -> None:
        """Give a prepared file its final name, in one step. It may be called in several threads at once.

        Raises
        ------
        OutputError
            If that fails.
        """

    @abstractmethod
    def flush(self, folders: Iterable[str]) -> None:
        """Flush the names in folders to the disk.

        Raises
        ------
        OutputError
            If that fails.
        """

    @abstractmethod
    def flush_root(self) -> None:
        """Flush the names of the journal and of all folders above it, because any of them may be new.

        Raises
        ------
        OutputError
            If that fails.
        """

    # Temporaries

    @abstractmethod
    def owner(self) -> Owner:
        """Return a new owner of temporaries. While it is held, no sweep takes them."""

    @abstractmethod
    def mark(self) -> str:
        """Leave a mark in the store by which other processes know it, and return it. It is gone when this is closed.

        Raises
        ------
        OutputError
            If the store cannot be written.
        """

    @abstractmethod
    def sees(self, mark: str) -> bool:
        """Return whether a mark that another process has left is there. Nothing is written."""

    @abstractmethod
    def is_held(self, mark: str) -> bool:
        """Return whether the process that has left a mark lives, as far as that can be known. Nothing is written."""

    @abstractmethod
    def temporaries(self, owner: Owner | None, *, fsync: bool, hashed: bool = True) -> Temporaries:
        """Return the temporaries of one item, to be used as a context manager.

        Parameters
        ----------
        owner
            Owner; None if each file is to be held by itself.
        fsync
            Whether to flush files to the disk.
        hashed
            Whether to hash the files.
        """

    @abstractmethod
    def take_over(self, owner: str) -> None:
        """Hold the temporaries of an owner, given by its id, because it has handed some of them over."""

    @abstractmethod
    def discard(self, files: Iterable[PreparedFile]) -> None:
        """Remove temporaries that will not be published."""

    @abstractmethod
    def sweep(self, owner: str = "", folders: Iterable[str] | None = None) -> bool:
        """Remove temporaries that nobody holds, and return whether none was held.

        Parameters
        ----------
        owner
            Id of the owner whose temporaries are removed; empty for those of all owners.
        folders
            Folders to look into; None for all.
        """

    @abstractmethod
    def has_dead_owner(self) -> bool:
        """Return whether an owner was killed, so that its temporaries may be left."""

    @abstractmethod
    def close(self) -> None:
        """Release everything that the store holds."""
