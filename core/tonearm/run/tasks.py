"""A task: one source to convert."""

from __future__ import annotations

from typing import Any, TypeAlias

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
    outputs
        Numbers of the outputs to make: the positions in the pipeline.
    skip
        Items that are done already, each with the number of the output.
    array
        Array that is the source, if it is no file.
    """

    number: int
    name: str
    path: str
    folder: str = "."
    outputs: tuple[int, ...] = (0,)
    skip: frozenset[tuple[ItemId, int]] = frozenset()
    array: Any = None

    def source(self, content: bytes | None = None) -> Source:
        """Return the source, with its content if that has been read already."""
        path = None if self.array is not None else self.path
        return Source(name=self.name, path=path, relative_dir=self.folder, content=content, array=self.array)
