"""Which file an item becomes: templates filled in, and clashes found before anything is overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from tonearm.config.check import Output
from tonearm.config.template import PER_ITEM
from tonearm.contract import Item
from tonearm.errors import ItemError, Problem, one_line
from tonearm.signals import Signal
from tonearm.source import Source

KNOWN_LATE = PER_ITEM | {"source_hash"}
"""Fields that are known only when a source has been read."""


def output_path(output: Output, source: Source, item: Item[Signal] | None) -> Path:
    """Return the path of an item's output below the output root.

    Raises
    ------
    ItemError
        If a value is no name for a file.
    """

    def value(field: str) -> str:
        if field in PER_ITEM and item is not None:
            return str(getattr(item, field))
        if field == "source_hash":
            return source_hash(source)[:16]
        if field == "relative_dir":
            return source.relative_dir
        path = source.path or Path(source.stem)
        if field == "parent":
            return path.absolute().parent.name or "root"
        return path.stem if field == "stem" else path.name

    return Path(output.template.render(value))


def source_hash(source: Source) -> str:
    """Return the SHA-256 of a source's content, in hex."""
    if source.array is not None:
        return hashlib.sha256(source.array.tobytes()).hexdigest()
    with source.open() as file:
        start = file.tell()
        digest = hashlib.file_digest(cast("Any", file), "sha256").hexdigest()
        file.seek(start)
    return digest


class Names:
    """The names of outputs that are taken, and by whom.

    Parameters
    ----------
    root
        The output folder.
    ours
        Whether an existing file was written by a run before, by its path below the root.
    force
        Whether files that are not ours may be replaced.
    """

    def __init__(self, root: Path, ours: Iterable[str], *, force: bool) -> None:
        self.root = root
        self._ours = frozenset(ours)
        self._force = force
        self._taken: dict[str, str] = {}

    def problem(self, path: Path, source: Source) -> Problem | None:
        """Take a name for a source, or say why it cannot be had."""
        name, by = path.as_posix(), one_line(source.name)
        if name in self._taken:
            other = self._taken[name]
            if other == by:
                hint = "put {index} or {key} into the file's name"
                return Problem(code="same-output", message=f"two items of {by} would become {name}", hint=hint)
            hint = "put {relative_dir} or {source_hash} into the file's name"
            return Problem(code="same-output", message=f"{other} and {by} would both become {name}", hint=hint)
        self._taken[name] = by
        target = self.root / path
        if source.path is not None and target.exists() and target.samefile(source.path):
            return Problem(code="output-is-input", message=f"{name} is the source itself", hint="use another --out")
        if not self._force and name not in self._ours and (target.exists() or target.is_symlink()):
            hint = "move it away, use another --out, or --force to replace it"
            return Problem(code="not-ours", message=f"{one_line(target)} is there, and no run wrote it", hint=hint)
        return None

    def take(self, path: Path, source: Source) -> None:
        """Take a name that became known late.

        Raises
        ------
        ItemError
            If it cannot be had.
        """
        problem = self.problem(path, source)
        if problem:
            raise ItemError(problem.message, code=problem.code, hint=problem.hint)


def is_known_early(output: Output) -> bool:
    """Say whether the name of an output follows from that of its source alone."""
    return not output.template.fields & KNOWN_LATE
