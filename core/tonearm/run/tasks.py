"""A task: one source to convert."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from tonearm.source import Source

ItemId: TypeAlias = tuple[str, int]
"""Key and index of an item within its source."""


class Task(Struct, frozen=True):
    """One source to convert.

    Parameters
    ----------
    number
        Number of the source within the run.
    name
        Name of the source as the user gave it.
    path
        Absolute path of the source.
    folder
        Folder of the source below the fixed part of the pattern that found it.
    skip
        Items that are done already.
    """

    number: int
    name: str
    path: str
    folder: str = "."
    skip: frozenset[ItemId] = frozenset()

    def source(self, content: bytes | None = None) -> Source:
        """Return the source, with its content if that has been read already."""
        return Source(name=self.name, path=self.path, relative_dir=self.folder, content=content)
