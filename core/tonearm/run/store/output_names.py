"""The names of outputs that are taken, so that no file is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from tonearm.errors import Advice, ItemError, Problem, advise, one_line
from tonearm.run.store.hash_index import HashIndex
from tonearm.run.store.slow_calls import SlowCalls
from tonearm.run.store.store import EntryKind, Store

_PUBLISHED = 1 << 63  # is added to the number of a source if one of its items has the name


class OutputNames:
    """The names of outputs that are taken, and by which source.

    Parameters
    ----------
    store
        Store.
    owned
        Function that returns whether an earlier run wrote a file, given by its path below the root.
    force
        Whether files that no run wrote may be replaced.
    name_of
        Function that returns the name of a source by its number.
    """

    def __init__(
        self, store: Store, owned: Callable[[str], bool], *, force: bool, name_of: Callable[[int], str] | None = None
    ) -> None:
        self._store = store
        self._owned = owned
        self._force = force
        self._name_of = name_of
        self._taken = HashIndex()
        self._looking = SlowCalls()
        self._kinds: dict[str, EntryKind] = {}
        """What stands under names that are about to be taken, as far as it is known."""

    def __contains__(self, path: str) -> bool:
        return path in self._taken

    def claim(self, path: str, number: int, source: str, *, will_write: bool = True) -> Problem | None:
        """Claim a name for a source when the plan is made. Return the problem if it is taken.

        Parameters
        ----------
        path
            Path of the output below the root.
        number, source
            Number and name of the source.
        will_write
            Whether this run writes the file. Another part may have written it since the plan began.
        """
        owner = self._taken.get(path)
        if owner is not None:
            return self._clash(path, owner & ~_PUBLISHED, number, source)
        self._taken.put(path, number)
        return self.replacement_problem(path) if will_write else None

    def reserve(self, path: str, number: int) -> None:
        """Reserve the name of a file that an earlier run made of a source and that stays."""
        self._taken.put(path, number | _PUBLISHED)

    def look_up(self, paths: Sequence[str]) -> None:
        """Look up many names that are about to be taken at once, where that is slow."""
        self._kinds.clear()
        self._looking.ahead(self._look_up, paths)

    def _look_up(self, path: str) -> None:
        self._kinds[path] = self._looking.timed(self._store.kind, path)

    def take(self, path: str, number: int, source: str, source_path: str) -> None:
        """Take a name for an item, right before its file is renamed. Only one item can take it.

        Parameters
        ----------
        path
            Path of the output below the root.
        number, source, source_path
            Number, name and path of the source.

        Raises
        ------
        ItemError
            If the name is taken, or a file exists that must not be replaced.
        """
        owner = self._taken.get(path)
        problem = None
        if owner is None:
            if source_path and self._store.path_of(source_path) == path:
                problem = output_is_input(path)
        elif owner != number:
            problem = self._clash(path, owner & ~_PUBLISHED, number, source)
        if problem is None:
            self._taken.put(path, number | _PUBLISHED)
            problem = self.replacement_problem(path)
        if problem:
            raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)

    def _clash(self, path: str, owner: int, number: int, source: str) -> Problem:
        name, output = one_line(source), one_line(path)
        if owner == number:
            message, hint = two_items(source, path)
        else:
            other = one_line(self._name_of(owner)) if self._name_of else "another source"
            message = f"{other} and {name} would both become {output}"
            hint = f"put {_distinguishing(name, other)} or {{source_hash}} into the file's name"
        return Problem(code="same-output", message=message, remedies=advise(hint))

    def replacement_problem(self, path: str) -> Problem | None:
        """Return the problem if a file exists that must not be replaced."""
        kind = self._kinds.pop(path, None) or self._looking.timed(self._store.kind, path)
        if kind == "nothing":
            return None
        if kind != "folder" and (self._force or self._owned(path)):
            return None
        target = os.path.normpath(os.path.join(self._store.root, path))
        if kind == "folder":
            return Problem(
                code="not-ours",
                message=f"{one_line(target)} is a folder",
                remedies=advise("write the outputs somewhere else"),
            )
        remedy = Advice(
            "move it away, write somewhere else, or replace it with --force (force=True in Python)",
            in_call="move it away, write somewhere else, or leave overwrite=False out",
        )
        return Problem(code="not-ours", message=f"{one_line(target)} exists, and no run wrote it", remedies=(remedy,))


def two_items(source: str, path: str) -> tuple[str, str]:
    """Return the message about two items of a source that would become the same file, and its hint."""
    message = f"two items of {one_line(source)} would become {one_line(path)}"
    return message, "put {index} into the file's name, or {key} where each item has its own"


def output_is_input(path: str) -> Problem:
    """Return the problem of an output that would replace a source."""
    return Problem(
        code="output-is-input",
        message=f"{one_line(path)} is a source itself",
        remedies=advise("write the outputs somewhere else"),
    )


def _distinguishing(name: str, other: str) -> str:
    """Return the field of a template that distinguishes two sources."""
    base, other_base = os.path.basename(name), os.path.basename(other)
    if base == other_base:
        return "{relative_dir}"
    same_stem = os.path.splitext(base)[0] == os.path.splitext(other_base)[0]
    return "{name}" if same_stem else "{stem}"
