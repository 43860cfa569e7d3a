"""The store of this machine: a folder."""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Iterable, Iterator

from tonearm.content_hash import FileState, hash_descriptor
from tonearm.errors import OutputError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.part import Part
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.journal import LocalJournalFile, replace_local_journal
from tonearm.run.store.lock import Lock, lock_holders
from tonearm.run.store.owners import Owner, hold_owner, is_dead, raise_file_limit, read_nonce, release_owner
from tonearm.run.store.path_tree import open_tree
from tonearm.run.store.run_folder import OWNERS, is_journal, journal_path, lock_path
from tonearm.run.store.store import EntryKind, JournalFile, Store
from tonearm.run.store.sweeping import Sweep, has_dead_owner
from tonearm.run.store.temporaries import Temporaries, temporary_path
from tonearm.run.store.tree import cannot_write, close_quietly, reason_of
from tonearm.system import free_space, read_at, with_slashes

MAX_LINE = 1 << 28
"""Largest length of a journal's line in bytes. A longer one makes no sense."""

MAX_KNOWN_FOLDERS = 10_000
"""Largest number of folders of sources that are remembered."""

_stores: weakref.WeakSet[LocalStore] = weakref.WeakSet()
"""Stores of this process."""


def _leave_to_parent() -> None:
    """Hold nothing of what the process holds that this one was forked from: its locks would outlive it."""
    for store in list(_stores):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_FLUSH_ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT)


class LocalStore(Store):
    """A folder of this machine.

    Parameters
    ----------
    root
        Path of the folder, which need not exist.
    path
        Absolute path of the folder; empty if it follows from the first and the current folder.
    """

    def __init__(self, root: str, path: str = "") -> None:
        super().__init__(root)
        self._tree = open_tree(root, path)
        self._lock = Lock(self._tree, root)
        self._taken_over: dict[str, int] = {}
        self._may_have_owners = False
        """Whether the folder of owners may be empty at the end: a run, an owner or a sweep may have left it so."""
        self._absent: set[str] = set()
        """Folders that did not exist when the plan was made. They are looked for again when the run begins."""
        self._journals: list[LocalJournalFile] = []
        self._below: dict[str, str | None] = {}
        """Folders of sources, each with its path below the root."""
        self._marked: Owner | None = None
        """Owner that marks the folder."""
        self._readers: dict[str, int] = {}
        """Journals that are open for reading single lines."""
        _stores.add(self)

    def __reduce__(self) -> tuple[type[LocalStore], tuple[str, str]]:
        return LocalStore, (self.root, self._tree.root)

    @property
    def scratch(self) -> str:
        """Path of the folder: a temporary lies beside its final name."""
        return self._tree.root

    def lock(self, part: Part | None, *, create: bool) -> str:
        """Take the lock for a run of all sources, or of a part of them. Return a warning if there are no locks."""
        self._lock.acquire(part, create=create)
        self._may_have_owners = True
        self._absent.clear()
        if create:
            try:
                self._tree.require_folder(OWNERS, create=True)
            except OSError as error:
                raise cannot_write(os.path.join(self.root, OWNERS), error) from error
        return self._lock.warning

    def unlock(self) -> None:
        """Release the lock."""
        self._lock.release()

    def is_running(self, part: Part | None) -> bool:
        """Return whether a run of all sources, or of a part, holds its lock. Works on Linux only."""
        return bool(lock_holders(self._tree, part))

    @property
    def descriptors(self) -> list[int]:
        """Descriptors by which the store holds something. A forked child closes its own by itself."""
        journals = [file.descriptor for file in self._journals if file.descriptor >= 0]
        return [*self._lock.descriptors, *self._taken_over.values(), *journals]

    def leave_to_parent(self) -> None:
        """Close what this process has of the store of its parent, which goes on to hold it."""
        for descriptor in self.descriptors:
            close_quietly(descriptor)
        self._lock.forget()
        self._taken_over.clear()
        self._journals.clear()

    def journals(self) -> list[str]:
        """Return the names of all journals, ordered by the time of their last change."""
        try:
            names = [f"{RESERVED_PREFIX}/{name}" for name, _ in self._tree.entries(RESERVED_PREFIX) if is_journal(name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            if os.path.isfile(self._tree.root):
                return []
            raise _cannot_read_journal(error) from error
        found = ((self._tree.status(name), name) for name in names)
        return [name for _, name in sorted((status.st_mtime_ns, name) for status, name in found if status)]

    def journal_name(self, part: Part | None) -> str:
        """Return the name of the journal of a run of all sources, or of a part."""
        return journal_path(part)

    def open_journal(self, part: Part | None) -> JournalFile:
        """Open the journal of a run for appending. The caller holds the lock."""
        file = LocalJournalFile(self._tree, journal_path(part))
        self._journals = [file]
        return file

    def journal_size(self, name: str) -> int:
        """Return the size of a journal in bytes; 0 if it does not exist."""
        return status.st_size if (status := self._tree.status(name)) else 0

    def journal_time(self, name: str) -> float:
        """Return the time of a journal's last change in seconds since 1970."""
        return status.st_mtime if (status := self._tree.status(name)) else 0.0

    def read_journal(self, name: str, start: int = 0) -> Iterator[bytes]:
        """Yield the lines of a journal from an offset on. One that does not exist is empty."""
        try:
            descriptor = self._tree.open(name, os.O_RDONLY)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _cannot_read_journal(error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _cannot_read_journal(OSError(errno.EINVAL, f"{name} is no regular file"))
            with open(descriptor, "rb", closefd=False) as file:
                file.seek(start)
                while line := file.readline(MAX_LINE):
                    yield line
        except OSError as error:
            raise _cannot_read_journal(error) from error
        finally:
            close_quietly(descriptor)

    def read_line(self, name: str, offset: int) -> bytes:
        """Return the line of a journal at an offset; an empty one if it cannot be read."""
        try:
            if name not in self._readers:
                self._readers[name] = self._tree.open(name, os.O_RDONLY)
            return _read_line(self._readers[name], offset)
        except OSError:
            return b""

    def replace_journal(self, lines: Iterable[bytes]) -> None:
        """Replace the journal of runs of all sources, in one step."""
        self._close_readers()
        replace_local_journal(self._tree, journal_path(), lines)

    def remove_journal(self, part: Part) -> None:
        """Remove the journal of a part, and the part's lock."""
        self._close_readers()
        self._tree.remove(journal_path(part))
        if self._tree.status(journal_path(part)):
            raise OutputError(
                f"cannot remove {one_line(os.path.join(self.root, journal_path(part)))}",
                hint="remove it yourself: its records are in the whole run's journal",
            )
        self._tree.remove(lock_path(part))

    def state(self, path: str) -> FileState | None:
        """Return the size and the time of change of an output; None if it is no regular file."""
        status = self._tree.status(path)
        return (status.st_size, status.st_mtime_ns) if status and stat.S_ISREG(status.st_mode) else None

    def hash(self, path: str) -> str:
        """Return the content hash of an output; an empty text if it is no regular file or cannot be read."""
        try:
            descriptor = self._tree.open(path, os.O_RDONLY)
        except (OSError, ValueError):
            return ""
        try:
            return hash_descriptor(descriptor) if stat.S_ISREG(os.fstat(descriptor).st_mode) else ""
        except OSError:
            return ""
        finally:
            close_quietly(descriptor)

    def kind(self, path: str) -> EntryKind:
        """Return what stands under a name."""
        folder = path.rpartition("/")[0]
        if folder in self._absent:
            return "nothing"
        try:
            self._tree.require_folder(folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise cannot_write(os.path.join(self.root, path), error) from error
            if not self._lock.descriptors and len(self._absent) < MAX_KNOWN_FOLDERS:
                self._absent.add(folder)
            return "nothing"
        if (status := self._tree.status(path)) is None:
            return "nothing"
        return "file" if stat.S_ISREG(status.st_mode) else "folder" if stat.S_ISDIR(status.st_mode) else "other"

    def path_of(self, source: str) -> str | None:
        """Return the path below the root that a local source has; None if it lies elsewhere."""
        folder, _, name = with_slashes(source).rpartition("/")
        if folder not in self._below:
            if len(self._below) > MAX_KNOWN_FOLDERS:
                self._below.clear()
            self._below[folder] = self._folder_below(folder or "/")
        below = self._below[folder]
        return None if below is None else below + name

    def _folder_below(self, folder: str) -> str | None:
        """Return the path of a folder below the root, with a slash behind it unless it is the root itself."""
        try:
            path = with_slashes(os.path.realpath(folder)).rstrip("/") + "/"
            root = with_slashes(os.path.realpath(self._tree.root)).rstrip("/") + "/"
        except (OSError, ValueError):
            return None
        return path[len(root) :] if path.startswith(root) else None

    def free_space(self) -> int | None:
        """Return the number of free bytes; None if that is not known."""
        return free_space(self._tree.root)

    def publish(self, file: PreparedFile) -> None:
        """Give a prepared file its final name, in one step."""
        self._absent.clear()
        try:
            self._tree.rename(temporary_path(file), file.output)
        except OSError as error:
            raise cannot_write(os.path.join(self.root, file.output), error) from error

    def keep_mode(self, file: PreparedFile) -> None:
        """Give a prepared file the permissions of the file that it will replace, if there is one.

        Raises
        ------
        OutputError
            If these forbid to write the file, or its name is that of a device or a pipe.
        """
        replaced = self._tree.status(file.output)
        if replaced is None:
            return
        try:
            if not stat.S_ISREG(replaced.st_mode):
                if self._tree.leads_to_device(file.output):
                    raise OSError(errno.EINVAL, "it is a device or a pipe")
                return
            mode = stat.S_IMODE(replaced.st_mode)
            if not mode & _WRITABLE and not self._tree.may_write(file.output):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._tree.change_mode(temporary_path(file), mode)
        except OSError as error:
            raise cannot_write(os.path.join(self.root, file.output), error) from error

    def flush(self, folders: Iterable[str]) -> None:
        """Flush the names in folders to the disk, where the file system supports that and they may be read."""
        for folder in folders:
            try:
                self._tree.flush(folder)
            except OSError as error:
                if error.errno in _FLUSH_ERRORS:
                    raise cannot_write(os.path.join(self.root, folder) if folder else self.root, error) from error

    def flush_root(self) -> None:
        """Flush the names of the journal and of all folders above it, because any of them may be new."""
        self.flush([RESERVED_PREFIX, ""])
        folder = os.path.realpath(self._tree.root)
        while not os.path.ismount(folder):
            folder = os.path.dirname(folder)
            above = LocalStore(folder)
            above.flush([""])
            above.close()

    def owner(self) -> Owner:
        """Return a new owner of temporaries. While it is held, no sweep takes them."""
        self._may_have_owners = True
        return Owner(self._tree)

    def mark(self) -> str:
        """Leave a mark by which other processes know the folder: an owner whose file has something to read."""
        if self._marked is None:
            self._marked = self.owner()
        if not self._marked.nonce:
            self._marked.write_nonce()
        return f"{self._marked.id}-{self._marked.nonce}"

    def sees(self, mark: str) -> bool:
        """Return whether a mark that another process has left is there."""
        owner, _, nonce = mark.partition("-")
        return bool(nonce) and read_nonce(self._tree, owner) == nonce

    def is_held(self, mark: str) -> bool:
        """Return whether the process that has left a mark lives; without locks, whether the mark is there."""
        return self.sees(mark) and not is_dead(self._tree, mark.partition("-")[0])

    def temporaries(self, owner: Owner | None, *, fsync: bool, hashed: bool = True) -> Temporaries:
        """Return the temporaries of one item, to be used as a context manager."""
        return Temporaries(self._tree, owner, fsync=fsync, hashed=hashed)

    def take_over(self, owner: str) -> None:
        """Hold the temporaries of an owner, given by its id, because it has handed some of them over."""
        if owner in self._taken_over:
            return
        self._may_have_owners = True
        try:
            descriptor = hold_owner(self._tree, owner, create=False)
        except OSError as error:
            if error.errno == errno.EMFILE and raise_file_limit():
                self.take_over(owner)
                return
            raise cannot_write(os.path.join(self.root, OWNERS), error) from error
        if descriptor is not None:
            self._taken_over[owner] = descriptor

    def discard(self, files: Iterable[PreparedFile]) -> None:
        """Remove temporaries that will not be published."""
        for file in files:
            self._tree.remove(temporary_path(file))

    def sweep(self, owner: str = "", folders: Iterable[str] | None = None) -> bool:
        """Remove temporaries that nobody holds, and return whether none was held."""
        self._may_have_owners = True
        return Sweep(self._tree, self._taken_over, owner).sweep(
            [""] if folders is None else folders, deep=folders is None
        )

    def has_dead_owner(self) -> bool:
        """Return whether an owner was killed, so that its temporaries may be left."""
        return has_dead_owner(self._tree)

    def close(self) -> None:
        """Release everything that the store holds."""
        taken_over, self._taken_over = self._taken_over, {}
        for owner, descriptor in taken_over.items():
            release_owner(self._tree, owner, descriptor)
        marked, self._marked = self._marked, None
        if marked is not None:
            marked.close()
        if self._may_have_owners:
            self._tree.remove_folder(OWNERS)
        self._close_readers()
        self._lock.release()
        self._tree.close()

    def _close_readers(self) -> None:
        """Close the journals that are open for reading: Windows would neither replace nor remove them."""
        readers, self._readers = self._readers, {}
        for descriptor in readers.values():
            close_quietly(descriptor)


def _read_line(descriptor: int, offset: int) -> bytes:
    line, size = b"", 4096
    while block := read_at(descriptor, size, offset + len(line)):
        end = block.find(b"\n") + 1
        line += block[: end or None]
        if end or len(line) >= MAX_LINE:
            break
        size *= 2
    return line


def _cannot_read_journal(error: OSError) -> OutputError:
    return OutputError(f"cannot read the journal: {reason_of(error)}")
