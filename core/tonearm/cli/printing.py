"""Output that several commands share: tables, durations, counts of failures and warnings, and errors as JSON."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import Place, TonearmError, one_line

if TYPE_CHECKING:
    from collections import Counter

    from tonearm.run.prepared import Failure


FLAGS = Place(form="flags")
"""Place of an error whose remedies read as flags: the user has given flags, and no pipeline."""


@contextlib.contextmanager
def remedies_as_flags() -> Iterator[None]:
    """Write the remedies of the errors raised inside as flags, where no stage of a pipeline has set their form."""
    try:
        yield
    except TonearmError as error:
        if error.place == Place():
            error.place = FLAGS
        raise


def error_fields(error: TonearmError | Failure) -> dict[str, str]:
    """Return the fields of an error in JSON output."""
    fields = {"code": error.code, "message": error.message, "hint": error.hint}
    kept = getattr(error, "kept", "")
    return fields | {"kept": kept} if kept else fields


def kept_line(kept: str) -> str:
    """Return the line that names the copy of a refused waveform, after a line break; an empty text if there is none."""
    return f"\n    kept: {one_line(kept, 1000)}" if kept else ""


def format_duration(seconds: float) -> str:
    """Return a duration with its unit: seconds, minutes, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if not math.isfinite(seconds):  # somebody has edited the journal
        return "an unknown time"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{seconds / 60:.1f} min"


def format_count(count: int, noun: str) -> str:
    """Return a count with its noun, which is in the plural unless the count is 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def align_columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Return the lines of a table.

    Parameters
    ----------
    rows
        Cells, row by row; all rows have the same number of cells.
    left
        Indexes of the columns that are aligned to the left; the others are aligned to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def failure_lines(codes: Counter[str], failures: Iterable[Failure]) -> Iterator[str]:
    """Yield the number of failures by code, the most frequent code first, each with its first failure and its hint.

    Parameters
    ----------
    codes
        Number of failed items by error code.
    failures
        Failures that are known in detail, which may be only the first ones.
    """
    first: dict[str, Failure] = {}
    for failure in failures:
        first.setdefault(failure.code, failure)
    for code, count in codes.most_common():
        example = first.get(code)
        line = f"    {count} × {one_line(code)}"
        yield f"{line}, first {one_line(example.source)}: {one_line(example.message)}" if example else line
        if example and example.hint:
            yield f"        hint: {one_line(example.hint)}"


def code_lines(codes: Counter[str]) -> Iterator[str]:
    """Yield the number of failures by code, the most frequent code first."""
    for code, count in codes.most_common():
        yield f"    {count} × {one_line(code)}"


def warning_lines(warnings: Mapping[str, tuple[int, str]]) -> Iterator[str]:
    """Yield the number of warnings by kind, the most frequent kind first.

    Parameters
    ----------
    warnings
        Number of warnings of each kind, and the name of the first that has it.
    """
    for kind, (count, first) in sorted(warnings.items(), key=lambda entry: -entry[1][0]):
        yield f"    {count} × {one_line(kind)}, first {one_line(first)}"
