"""The result of one source, as a run reports it."""

from __future__ import annotations

from msgspec import Struct

from tonearm.run.prepared import ConvertedItem, Failure
from tonearm.run.tasks import ItemId


class Result(Struct, frozen=True, kw_only=True):
    """The result of one source, or of some items of a very large one.

    Parameters
    ----------
    source
        Name of the source.
    items
        Items that were converted and published, once for each output.
    failures
        Items that failed.
    warnings
        Warnings about the source and its items.
    seconds
        Time that the work took.
    last
        Whether the source is finished.
    """

    source: str
    items: tuple[ConvertedItem, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    last: bool = True

    @property
    def outputs(self) -> tuple[str, ...]:
        """Paths of the published files below the output folder."""
        return tuple(file.output for item in self.items for file in item.files)

    def by_item(self) -> dict[ItemId, list[ConvertedItem]]:
        """Return the outputs of each item, by its key and index."""
        found: dict[ItemId, list[ConvertedItem]] = {}
        for item in self.items:
            found.setdefault((item.key, item.index), []).append(item)
        return found
