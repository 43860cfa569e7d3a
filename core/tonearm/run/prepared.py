"""What comes back of a task."""

from __future__ import annotations

from msgspec import Struct

from tonearm.run.sources.content_hash import FileState
from tonearm.run.tasks import Task


class PreparedFile(Struct, frozen=True):
    """A whole file under a temporary name, waiting to be published.

    Parameters
    ----------
    temporary
        Name of the temporary, in the folder of the output.
    output
        Path below the output root.
    size, hash
        Of its content.
    """

    temporary: str
    output: str
    size: int
    hash: str


class ConvertedItem(Struct, frozen=True):
    """One item that was converted."""

    key: str
    index: int
    files: list[PreparedFile]
    measured: dict[str, float | int | str] = {}
    warnings: list[str] = []


class Failure(Struct, frozen=True):
    """One item that failed, or a whole source; ``trace`` is for those who debug plugins."""

    source: str
    key: str
    index: int
    code: str
    message: str
    hint: str = ""
    trace: str = ""


class PreparedSource(Struct, frozen=True, kw_only=True):
    """What became of a source, or of some of its items.

    Parameters
    ----------
    task
        The source.
    state, hash
        Of the source as it was read; None and empty if it could not be.
    items
        Converted, with files to be published.
    failures
        Items that failed.
    warnings
        What is worth knowing and belongs to no item that was converted.
    seconds
        How long it took.
    last
        Whether this is all; a source of very many items comes in parts.
    """

    task: Task
    state: FileState | None = None
    hash: str = ""
    items: list[ConvertedItem] = []
    failures: list[Failure] = []
    warnings: list[str] = []
    seconds: float = 0.0
    last: bool = True
