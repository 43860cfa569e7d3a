"""The result of one source, as a run reports it."""

from __future__ import annotations

from msgspec import Struct

from tonearm.run.prepared import ConvertedItem, Failure, PreparedSource
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


def result_of(prepared: PreparedSource, items: list[ConvertedItem], failures: list[Failure]) -> Result:
    """Return the result of a source, or of some items of it.

    Parameters
    ----------
    prepared
        Prepared source.
    items, failures
        Its items that are published, and those that have failed.
    """
    return Result(
        source=prepared.task.name,
        items=tuple(items),
        failures=tuple(failures),
        warnings=(*prepared.warnings, *_warnings(items)),
        seconds=prepared.seconds,
        last=prepared.last,
    )


def _warnings(items: list[ConvertedItem]) -> list[str]:
    """Return the warnings about items, each once for an item: outputs share those of their common steps."""
    return [
        warning
        for _key, _index, warning in {(item.key, item.index, one): None for item in items for one in item.warnings}
    ]
