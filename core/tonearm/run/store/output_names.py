"""Names of outputs that are taken."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from tonearm.errors import ItemError, Problem, one_line
from tonearm.run.store.hash_index import HashIndex

_USED = 1 << 63  # beside the number of a source: an item of it has the name


class OutputNames:
    """The names of outputs that are taken, and by which source.

    Parameters
    ----------
    root
        The output folder.
    owned
        Says whether a file below the root was written by a run before.
    force
        Whether files that are not ours may be replaced.
    name_of
        Returns the name of a source by its number.
    """

    def __init__(
        self, root: str, owned: Callable[[str], bool], *, force: bool, name_of: Callable[[int], str] | None = None
    ) -> None:
        self.root = root
        self._owned = owned
        self._force = force
        self._name_of = name_of
        self._taken = HashIndex()

    def __contains__(self, path: str) -> bool:
        return path in self._taken

    def claim(self, path: str, number: int, source: str) -> Problem | None:
        """Take a name for a source, or say why it cannot be had.

        Parameters
        ----------
        path
            Below the root.
        number, source
            Of the source, and its name.
        """
        owner = self._taken.get(path)
        if owner is not None:
            return self._clash(path, owner & ~_USED, number, source)
        self._taken.put(path, number)
        return self.existing(path)

    def reserve(self, path: str, number: int) -> None:
        """Note that an earlier run gave a name to what it made of a source, and that it stays."""
        self._taken.put(path, number | _USED)

    def take(self, path: str, number: int, source: str, real: str) -> None:
        """Take a name for an item, right before its file gets it; only one item can.

        Parameters
        ----------
        path
            Below the root.
        number, source, real
            Of the source, its name, and its path.

        Raises
        ------
        ItemError
            If it cannot be had.
        """
        owner = self._taken.get(path)
        problem = None
        if owner is None:
            if _same_entry(os.path.join(self.root, path), real):
                problem = output_is_input(path)
        elif owner != number:
            problem = self._clash(path, owner & ~_USED, number, source)
        if problem is None:
            self._taken.put(path, number | _USED)
            problem = self.existing(path)
        if problem:
            raise ItemError(problem.message, code=problem.code, hint=problem.hint)

    def _clash(self, path: str, owner: int, number: int, source: str) -> Problem:
        by, what = one_line(source), one_line(path)
        if owner == number:
            message, hint = f"two items of {by} would become {what}", "put {index} or {key} into the file's name"
        else:
            other = one_line(self._name_of(owner)) if self._name_of else "another source"
            message = f"{other} and {by} would both become {what}"
            hint = "put {relative_dir} or {source_hash} into the file's name"
        return Problem(code="same-output", message=message, hint=hint)

    def existing(self, path: str) -> Problem | None:
        """Say why a file that is there must not be replaced, if there is one."""
        target = os.path.join(self.root, path)
        try:
            there = os.lstat(target)
        except OSError:
            return None
        target = os.path.normpath(target)
        if stat.S_ISDIR(there.st_mode):
            return Problem(code="not-ours", message=f"{one_line(target)} is a folder", hint="use another --out")
        if not self._force and not self._owned(path):
            hint = "move it away, use another --out, or --force to replace it"
            return Problem(code="not-ours", message=f"{one_line(target)} is there, and no run wrote it", hint=hint)
        return None


def output_is_input(path: str) -> Problem:
    """Return the problem of an output that would replace a source."""
    return Problem(code="output-is-input", message=f"{one_line(path)} is a source itself", hint="use another --out")


def _same_entry(one: str, other: str) -> bool:
    try:
        return os.path.lexists(one) and resolve_folder(one) == resolve_folder(other)
    except OSError:
        return False


def resolve_folder(path: str) -> str:
    """Return which entry of which folder a path is: links to folders are followed, one in the last place is not."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)
