"""Owners of temporaries: files in the hidden folder that are locked for as long as a process needs its temporaries."""

from __future__ import annotations

import os
import weakref

from tonearm.run.store.file_locks import lock
from tonearm.run.store.run_folder import OWNERS
from tonearm.run.store.tree import Tree, cannot_write, close_quietly
from tonearm.system import HAS_POSIX

_open: weakref.WeakSet[Owner] = weakref.WeakSet()
"""Owners of this process."""


def _leave_to_parent() -> None:
    """Hold no temporaries of the process that this one was forked from: nobody would sweep them while it lives."""
    for owner in list(_open):
        owner.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


class Owner:
    """An owner of temporaries. No sweep takes them while the owner's file is locked.

    The kernel releases the lock when all who hold it have died, however that happens.

    Parameters
    ----------
    tree
        Output folder.

    Attributes
    ----------
    id
        Eight hex digits with which the names of the owner's temporaries start.
    nonce
        Content of the owner's file; empty if it has none.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._descriptor: int | None = None
        self.nonce = ""
        try:
            while self._descriptor is None:
                self.id = os.urandom(4).hex()
                self._descriptor = hold_owner(tree, self.id, create=True)
        except OSError as error:
            raise cannot_write(os.path.join(tree.name, OWNERS), error) from error
        _open.add(self)

    def write_nonce(self) -> None:
        """Write random digits into the owner's file, by which other processes know that they see the same folder.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        assert self._descriptor is not None
        nonce = os.urandom(16).hex()
        try:
            os.write(self._descriptor, nonce.encode())
            os.fsync(self._descriptor)  # the file stays open, and until then a file server need not have its content
        except OSError as error:
            raise cannot_write(os.path.join(self._tree.name, OWNERS), error) from error
        self.nonce = nonce

    def close(self) -> None:
        """Release the temporaries. The owner's file goes, unless somebody has taken over what it stands for."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            release_owner(self._tree, self.id, descriptor)

    def abandon(self) -> None:
        """Release the temporaries, and leave the owner's file, by which the next run knows that it has to sweep."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            close_quietly(descriptor)


def hold_owner(tree: Tree, owner: str, *, create: bool) -> int | None:
    """Hold the temporaries of an owner, and return the descriptor that does so; None if the owner is gone.

    Several processes can hold one owner: a worker, and the run that it hands its files to.
    """
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDWR
    try:
        descriptor = tree.open(f"{OWNERS}/{owner}", flags, create_folder=create)
    except FileNotFoundError:
        if create:
            raise
        return None
    if not lock_file(descriptor, shared=True):
        close_quietly(descriptor)
        return None
    return descriptor


def read_nonce(tree: Tree, owner: str) -> str:
    """Return the content of an owner's file; an empty text if there is none."""
    try:
        descriptor = tree.open(f"{OWNERS}/{owner}", os.O_RDONLY)
    except (OSError, ValueError):
        return ""
    try:
        return os.read(descriptor, 64).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        close_quietly(descriptor)


def raise_file_limit() -> bool:
    """Raise the number of files that this process may have open, if possible. Each thread of a cluster takes one."""
    if not HAS_POSIX:  # Windows has no limit
        return False
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return False
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems have a lower limit of their own
        return False
    return True


def release_owner(tree: Tree, owner: str, descriptor: int) -> None:
    """Release an owner. If nobody else holds it, its file is removed."""
    if is_only_holder(descriptor, without_locks=True):
        remove_held(tree, f"{OWNERS}/{owner}", descriptor)
    else:
        close_quietly(descriptor)


def remove_held(tree: Tree, path: str, descriptor: int) -> None:
    """Remove a file that this process alone holds a lock on, and close it.

    Where an open file cannot be removed, it is closed before. Then it stays if somebody else has opened it meanwhile.
    """
    if HAS_POSIX:
        tree.remove(path)
        close_quietly(descriptor)
    else:
        close_quietly(descriptor)
        tree.remove(path)


def is_dead(tree: Tree, owner: str) -> bool:
    """Return whether an owner was killed, so that nobody holds its file; False if there is none, or are no locks."""
    try:
        descriptor = tree.open(f"{OWNERS}/{owner}", os.O_RDWR)
    except (OSError, ValueError):  # it is gone, or somebody else's
        return False
    try:
        return is_only_holder(descriptor, without_locks=False)
    finally:
        close_quietly(descriptor)


def is_only_holder(descriptor: int, *, without_locks: bool) -> bool:
    """Return whether nobody else holds a lock on an open file.

    Parameters
    ----------
    descriptor
        Descriptor of the file.
    without_locks
        Result where the file system has no locks.
    """
    try:
        lock(descriptor, shared=False)
    except BlockingIOError:
        return False
    except OSError:
        return without_locks
    return True


def lock_file(descriptor: int, *, shared: bool) -> bool:
    """Lock an open file, and return whether that worked before a sweep took it. It never blocks."""
    try:
        lock(descriptor, shared=shared)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nobody sweeps there what is not its own
        pass
    return bool(os.fstat(descriptor).st_nlink)
