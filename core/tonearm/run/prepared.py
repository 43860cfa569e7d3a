"""The outcome of a task: items whose files are complete under temporary names, and items that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:  # `tonearm status` reads failures, and needs none of these
    from tonearm.content_hash import SourceState
    from tonearm.run.tasks import Task


class PreparedFile(Struct, frozen=True):
    """A complete file under a temporary name, ready to be published.

    Parameters
    ----------
    temporary
        Name of the temporary, in the folder of the output.
    output
        Path of the output below the output folder.
    size
        Size of the file in bytes.
    hash
        Hash of the file's content; empty if nobody needs it.
    """

    temporary: str
    output: str
    size: int
    hash: str


class ConvertedItem(Struct, frozen=True):
    """An item that was converted for one output.

    Parameters
    ----------
    key, index
        Key and index of the item within its source.
    output
        Number of the output.
    files
        File of the output, followed by its sidecars.
    measured
        Measurements by name.
    warnings
        Warnings about the item.
    """

    key: str
    index: int
    output: int
    files: list[PreparedFile]
    measured: dict[str, float | int | str] = {}
    warnings: list[str] = []


class Failure(Struct, frozen=True):
    """An item that failed, or a whole source.

    Parameters
    ----------
    source
        Name of the source.
    key, index
        Key and index of the item within its source.
    code, message, hint
        Error.
    trace
        Traceback, if it was asked for.
    kept
        Path of the copy of the waveform that was refused; empty if there is none.
    """

    source: str
    key: str
    index: int
    code: str
    message: str
    hint: str = ""
    trace: str = ""
    kept: str = ""


class PreparedSource(Struct, frozen=True, kw_only=True):
    """The outcome of a task, or of some items of a very large source.

    Parameters
    ----------
    task
        Task.
    state, hash
        State and content hash of the source when it was read. The state is None if it could not be read; the hash is
        empty if only the decoder has read it.
    items
        Items that were converted, once for each output. Their files are not published yet.
    failures
        Items that failed.
    warnings
        Warnings that belong to no converted item.
    seconds
        Time that the work took.
    last
        Whether nothing more of the source will come.
    """

    task: Task
    state: SourceState | None = None
    hash: str = ""
    items: list[ConvertedItem] = []
    failures: list[Failure] = []
    warnings: list[str] = []
    seconds: float = 0.0
    last: bool = True
