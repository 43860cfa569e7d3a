"""Messages that repeat: a file of thousands of items may give the same warning for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tonearm.errors import one_line

MAX_WARNINGS = 5
"""Number of warnings of one kind that are printed; the journal has all."""

MAX_FAILURES = 20
"""Number of failures of one source with the same code that are printed; the journal has all."""

MAX_NOTES = 20
"""Number of notes of one kind that are printed; the log file has all."""


class Repeats:
    """Counts of messages by kind, of which only the first few are printed.

    Parameters
    ----------
    limit
        Number of messages of each kind that are printed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: Counter[str] = Counter()

    def add(self, kind: str) -> int:
        """Count a message, and return how many more of its kind can be printed: below 0, it is one too many."""
        self._counts[kind] += 1
        return self._limit - self._counts[kind]

    def unprinted(self) -> Iterator[tuple[str, int]]:
        """Yield each kind of which there were too many, with the number that was not printed."""
        yield from ((kind, count - self._limit) for kind, count in self._counts.items() if count > self._limit)


class RepeatedWarnings:
    """Printer of the warnings of one file: the first ones of each kind, and the number of the others at the end."""

    def __init__(self) -> None:
        self._repeats = Repeats(MAX_WARNINGS)

    def print(self, warning: str) -> None:
        """Print a warning, unless there were enough of its kind."""
        from tonearm.cli import console
        from tonearm.run.report import warning_pattern

        line = f"warning: {warning}"
        (console.print_message if self._repeats.add(warning_pattern(warning)) >= 0 else console.log)(line)

    def print_rest(self) -> None:
        """Print how many warnings of each kind were not printed."""
        from tonearm.cli import console

        for kind, count in self._repeats.unprinted():
            console.print_message(f"warning: and {count:,} more of this kind: {one_line(kind)}")
