"""Sweeping: a search for temporaries that nobody holds, because a run was killed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.store.file_locks import lock
from tonearm.run.store.owners import is_dead, is_only_holder, remove_held
from tonearm.run.store.run_folder import OWNERS
from tonearm.run.store.temporaries import PREFIX, SUFFIX, TEMPORARY_NAME
from tonearm.run.store.tree import Tree, close_quietly


def has_dead_owner(tree: Tree) -> bool:
    """Return whether an owner was killed, so that its temporaries may be left; False where there are no locks."""
    with contextlib.suppress(OSError):
        return any(is_dead(tree, name) for name, is_folder in tree.entries(OWNERS) if not is_folder)
    return False


class Sweep:
    """One search for temporaries that nobody holds.

    Parameters
    ----------
    tree
        Output folder.
    taken_over
        Descriptors by which this process holds owners, by their ids. Those of dead owners are taken out.
    owner
        Id of the owner whose temporaries are removed; empty for those of all owners.
    """

    def __init__(self, tree: Tree, taken_over: dict[str, int], owner: str) -> None:
        self._tree = tree
        self._taken_over = taken_over
        self._owner = owner
        self._held: dict[str, bool] = {}
        """Whether somebody holds an owner."""

    def sweep(self, folders: Iterable[str], *, deep: bool) -> bool:
        """Remove the temporaries in folders, and return whether nobody held any; a deep sweep looks below them, too."""
        waiting = list(folders)
        while waiting:
            folder = waiting.pop()
            below = f"{folder}/" if folder else ""
            temporaries: list[tuple[str, str]] = []
            with contextlib.suppress(OSError):
                for name, is_folder in self._tree.entries(folder):
                    found = TEMPORARY_NAME.fullmatch(name) if name.startswith(PREFIX) else None
                    if found and not is_folder:
                        temporaries.append((found[1], below + name))
                    elif deep and is_folder and not found and name != RESERVED_PREFIX:
                        waiting.append(below + name)
            for digits, path in temporaries:
                if not self._is_held(digits, path):
                    self._tree.remove(path)
        if self._owner and self._owner not in self._held:  # it has no temporaries here, and may still live
            self._held[self._owner] = self._is_owner_held(self._owner)
        elif deep and not self._owner:
            self._remove_dead_owners()
        return not any(self._held.values())

    def _remove_dead_owners(self) -> None:
        """Remove the files of owners that nobody holds."""
        with contextlib.suppress(OSError):
            for owner in [name for name, is_folder in self._tree.entries(OWNERS) if not is_folder]:
                if owner not in self._held:
                    self._held[owner] = self._is_owner_held(owner)

    def _is_held(self, digits: str, path: str) -> bool:
        """Return whether somebody holds a temporary, or it is not looked for."""
        owner = digits[:8]
        if self._owner and owner != self._owner:
            return True
        if owner not in self._held:
            self._held[owner] = self._is_owner_held(owner)
        if self._held[owner] or self._owner:
            return self._held[owner]
        # A sidecar is held along with its file.
        return self._is_file_held(f"{path.rpartition('/')[0]}/{PREFIX}{digits}{SUFFIX}".lstrip("/"))

    def _is_owner_held(self, owner: str) -> bool:
        """Return whether somebody other than this process holds an owner. If not, the owner's file goes."""
        taken = owner in self._taken_over
        try:
            descriptor = self._taken_over[owner] if taken else self._tree.open(f"{OWNERS}/{owner}", os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        # Where there are no locks, only what this run knows to be dead is swept.
        held = not is_only_holder(descriptor, without_locks=bool(self._owner))
        if not held:
            remove_held(self._tree, f"{OWNERS}/{owner}", descriptor)
            self._taken_over.pop(owner, None)
        elif taken:
            with contextlib.suppress(OSError):  # trying to hold it alone has given up holding it with others
                lock(descriptor, shared=True)
        else:
            close_quietly(descriptor)
        return held

    def _is_file_held(self, path: str) -> bool:
        try:
            descriptor = self._tree.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:  # somebody else's, most likely
            return True
        try:
            return not is_only_holder(descriptor, without_locks=False)
        finally:
            close_quietly(descriptor)
