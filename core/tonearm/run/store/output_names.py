"""Which file an item becomes: templates filled in, and clashes found before anything is overwritten."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from tonearm.errors import ItemError, Problem, advise, one_line
from tonearm.pipeline.checked import Output
from tonearm.pipeline.templates import PER_ITEM, Template
from tonearm.plugins.item import Item
from tonearm.run.store.index import Index
from tonearm.signals import Signal
from tonearm.source import Source

KNOWN_LATE = PER_ITEM | {"source_hash"}
"""Fields that are known only when a source has been read."""

_USED = 1 << 63  # beside the number of a source: an item of it has the name

MAX_NAME = 255
"""Bytes of a file's name that file systems take."""


def output_path(output: Output, source: Source, item: Item[Signal] | None) -> str:
    """Return the path of an item's output below the output root.

    Raises
    ------
    ItemError
        If a value is no name for a file.
    """
    return _rendered(output.template, source, item)


def _rendered(template: Template, source: Source, item: Item[Signal] | None) -> str:
    def value(field: str) -> str:
        if field in PER_ITEM and item is not None:
            return str(getattr(item, field))
        if field == "source_hash":
            return source.sha256()[:16]
        if field == "relative_dir":
            return source.relative_dir
        if field == "stem":
            return source.stem
        path = os.path.abspath(source.where or source.stem)
        if field == "parent":
            return os.path.basename(os.path.dirname(path)) or "root"
        return os.path.basename(path)

    path = template.render(value)
    for part in path.split("/"):
        if len(part) * 4 > MAX_NAME and len(os.fsencode(part)) > MAX_NAME:
            raise ItemError(
                f"{one_line(path, 80)} has a name of more than {MAX_NAME} bytes",
                code="name-too-long",
                hint="{source_hash} is short, and {index} tells items apart",
            )
    return path


def output_folder(output: Output, source: Source) -> str | None:
    """Return the folder of an output below the output root; None if only the content of the source tells."""
    folder = output.template.folder(KNOWN_LATE)
    try:
        return None if folder is None else os.path.dirname(_rendered(folder, source, None))
    except ItemError:
        return None


class Names:
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
        self._taken = Index()

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
                problem = is_input(path)
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
        return Problem(code="same-output", message=message, remedies=advise(hint))

    def existing(self, path: str) -> Problem | None:
        """Say why a file that is there must not be replaced, if there is one."""
        target = os.path.join(self.root, path)
        try:
            there = os.lstat(target)
        except OSError:
            return None
        target = os.path.normpath(target)
        if stat.S_ISDIR(there.st_mode):
            return Problem(
                code="not-ours", message=f"{one_line(target)} is a folder", remedies=advise("use another --out")
            )
        if not self._force and not self._owned(path):
            hint = "move it away, use another --out, or --force to replace it"
            return Problem(
                code="not-ours", message=f"{one_line(target)} is there, and no run wrote it", remedies=advise(hint)
            )
        return None


def is_input(path: str) -> Problem:
    """Return the problem of an output that would replace a source."""
    return Problem(
        code="output-is-input", message=f"{one_line(path)} is a source itself", remedies=advise("use another --out")
    )


def _same_entry(one: str, other: str) -> bool:
    try:
        return os.path.lexists(one) and entry_of(one) == entry_of(other)
    except OSError:
        return False


def entry_of(path: str) -> str:
    """Return which entry of which folder a path is: links to folders are followed, one in the last place is not."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def is_known_early(output: Output) -> bool:
    """Say whether the name of an output follows from that of its source alone."""
    return not output.template.fields & KNOWN_LATE
