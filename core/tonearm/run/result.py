"""What became of one source."""

from __future__ import annotations

from msgspec import Struct

from tonearm.run.prepared import ConvertedItem, Failure


class Result(Struct, frozen=True, kw_only=True):
    """What became of one source, or of some items of a very large one.

    Parameters
    ----------
    source
        Its name.
    items
        Converted and published.
    failures
        Items that failed.
    warnings
        What is worth knowing.
    seconds
        How long it took.
    last
        Whether the source is through.
    skipped
        Whether there was nothing left to do.
    """

    source: str
    items: tuple[ConvertedItem, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    last: bool = True
    skipped: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Paths below the output folder."""
        return tuple(file.output for item in self.items for file in item.files)
