"""Findings about codec tokens: whether whole numbers can be codes, and which layouts have their shape and range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.tokens.layout import TokenLayout

MOST_BOOKS = 32
"""Largest number of books where a layout does not say how many it has."""

MOST_IDS = 1 << 20
"""Number of ids that no vocabulary of a language model exceeds."""

LOWEST = -1
"""Lowest id: some models pad with -1."""

SPECIALS = 128
"""Number of ids above the codes that marks take, such as the beginning, the end and padding."""

STEREO = 2
"""Number of channels where one axis holds books and channels."""

NEAR = 0.8
"""Part of the size of a book that the greatest of a few dozen codes exceeds."""


class LayoutMatch(Struct, frozen=True):
    """A layout that has the shape and the range of an array.

    Parameters
    ----------
    rank
        Strength of the match: 0 if number of books and range fit exactly, 1 if the layout leaves the number of books
        open or the values do not show its marks, 2 if there are fewer books or only one level of several.
    name
        Name of the layout.
    reason
        Reason in a few words.
    """

    rank: int
    name: str
    reason: str


def can_be_codes(low: float, high: float, *, whole: bool) -> bool:
    """Return whether numbers from ``low`` to ``high`` can be ids of tokens: whole, not negative, and not too great."""
    return whole and low >= LOWEST and 0 < high < MOST_IDS


def matching_layouts(
    catalogue: Catalogue[TokenLayout],
    shape: Sequence[int],
    low: float,
    high: float,
    sample_rate: int | None = None,
) -> list[LayoutMatch]:
    """Return the layouts that have the shape and the range of an array of whole numbers, the strongest match first.

    Parameters
    ----------
    catalogue
        All layouts.
    shape
        Shape of the array.
    low, high
        Lowest and greatest value.
    sample_rate
        Sample rate in Hz, if it is known: layouts of other rates are left out, unless there is no other.
    """
    sizes = [size for size in shape if size > 1] or [1]
    found = []
    for name, layout in catalogue.usable():
        ways = list(_ways(layout, sizes, low, high))
        if ways:
            rank, reason = min(ways)
            found.append((rank, layout.sample_rate == sample_rate, LayoutMatch(rank, name, reason)))
    same = [one for one in found if one[1]]
    return [one[2] for one in sorted(same or found, key=lambda one: one[0])]


def _ways(layout: TokenLayout, sizes: list[int], low: float, high: float) -> Iterator[tuple[int, str]]:
    """Yield the rank of each way in which a layout may have these axes, with the reason."""
    largest = layout.largest_size
    if layout.form in ("text", "file") or largest is None:
        return
    if layout.form in ("array", "ragged"):
        found = _in_range(layout, largest, low, high)
        for books in _book_counts(layout, sizes) if found is not None else ():
            rank = _rank_of_books(layout, books)
            if rank is not None and layout.stacked and not layout.axes and sizes[0] != layout.stacked:
                rank = max(rank, 1)  # any even number of rows may be a batch
            if rank is not None and found is not None:
                what = "a level" if layout.ragged else f"{books} book" + "s" * (books != 1)
                yield max(rank, found), f"{what} of {largest} codes, and the greatest value is {high:.0f}"
    elif len(sizes) == 1:
        yield from _of_flat_ids(layout, largest, low, high)


def _of_flat_ids(layout: TokenLayout, largest: int, low: float, high: float) -> Iterator[tuple[int, str]]:
    positions = max(1, len(layout.interleave))
    top = layout.offset + layout.per_position * (positions - 1) + largest
    least = layout.offset + NEAR * (top - layout.offset)
    marks = SPECIALS if layout.end_at or layout.drop or layout.drop_from is not None or layout.sections else 0
    if least <= high < top + marks and (low >= layout.offset or layout.offset or marks):
        exact = low >= layout.offset and high < top
        reason = f"ids up to {high:.0f}, where this layout has codes from {layout.offset} to {top - 1}"
        yield (0 if exact and layout.offset else 1), reason


def _in_range(layout: TokenLayout, largest: int, low: float, high: float) -> int | None:
    """Return the rank of a range of values; None if the layout cannot have it.

    It is 0 if there are marks beside the codes where a delay leaves room for them, or none where there is no delay.
    """
    top = max(layout.offset0, layout.offset) + largest
    has_marks = any((layout.delays, layout.end, layout.pad is not None, layout.last_not, layout.trim != (0, 0)))
    if high < NEAR * top or high >= top + (SPECIALS if has_marks else 0) or (low < 0 and not has_marks):
        return None
    shows_marks = high >= top or low < 0
    return 0 if shows_marks == bool(layout.delays or any(layout.columns)) else 1


def _book_counts(layout: TokenLayout, sizes: list[int]) -> Iterator[int]:
    """Yield the numbers of books that an array may have: its axes without those of size 1, in the order of a layout's.

    There are more frames than books, unless the layout says how many books it has.
    """
    if layout.ragged:
        if len(sizes) == 1:
            yield 1
        return
    if layout.stacked and not layout.axes:
        if len(sizes) == 2 and sizes[0] % layout.stacked == 0:
            yield layout.stacked
        return
    for chosen in combinations(layout.axes, len(sizes)):
        given = {part: size for name, size in zip(chosen, sizes, strict=True) for part in name.strip("()").split()}
        books, odd = divmod(given.get("book", 1), _rows_of_a_book(chosen))
        if "frame" in given and not odd and (given["frame"] > books or books == _expected_books(layout)):
            yield books


def _rows_of_a_book(axes: Sequence[str]) -> int:
    """Return how many rows a book has in the axis of the books: one for each channel that is folded into it."""
    parts = next((name.strip("()").split() for name in axes if "book" in name), [])
    return STEREO if "channel" in parts else 1


def _expected_books(layout: TokenLayout) -> int | None:
    """Return the number of books, or of rows before they are cut; None if the layout leaves it open."""
    if layout.rows:
        return layout.rows[1]
    several = len(layout.delays) or (0 if isinstance(layout.size, int) or layout.size is None else len(layout.size))
    return several or layout.codebooks or (None if layout.axes else layout.stacked)


def _rank_of_books(layout: TokenLayout, books: int) -> int | None:
    """Return the rank of a number of books; None if the layout cannot have it."""
    if layout.ragged:
        return 2
    expected = _expected_books(layout)
    if expected is None:
        return 1 if books <= MOST_BOOKS else None
    if books == expected:
        return 0
    return 2 if books < expected and not layout.delays and isinstance(layout.size, int) and not layout.rows else None
