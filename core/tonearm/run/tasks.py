"""A task: one source to convert."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm.source import FileIdentity, Source

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
        Absolute path of the source; empty if it is in memory.
    folder
        Folder of the source below the fixed part of the pattern that found it.
    outputs
        Numbers of the outputs to make: their positions in the pipeline.
    skip
        Items that are done already, each with the number of the output.
    array, arrays, signal
        Source in memory: an array, arrays by name, or a signal. All are None for a file.
    key
        Name that the caller gave to the source; empty if there is none.
    """

    number: int
    name: str
    path: str
    folder: str = "."
    outputs: tuple[int, ...] = (0,)
    skip: frozenset[tuple[ItemId, int]] = frozenset()
    array: Any = None
    arrays: Any = None
    signal: Any = None
    key: str = ""

    @property
    def source_id(self) -> str:
        """Name of the source in the journal: its path, or the name that it has in the call."""
        return self.name if self.key else self.path

    def source(self, content: bytes | None = None, identity: FileIdentity | None = None) -> Source:
        """Return the source, with its content if that has been read already.

        Parameters
        ----------
        content
            Content of the file; None if it has not been read.
        identity
            Identity of the file that the decoder must find under the path; None for any.
        """
        return Source(
            name=self.name,
            path=self.path or None,
            relative_dir=self.folder,
            array=self.array,
            arrays=self.arrays,
            signal=self.signal,
            content=content,
            identity=identity,
            key=self.key,
            absolute_path=self.path,
        )

    def without_memory(self) -> Task:
        """Return the task without what is in memory, which need not travel back."""
        return self if self.path else replace(self, array=None, arrays=None, signal=None)
