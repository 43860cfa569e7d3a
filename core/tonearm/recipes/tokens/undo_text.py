"""Text with the marks of codec tokens: the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError, one_line
from tonearm.recipes.tokens.undo_values import GREATEST

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import TokenLayout
    from tonearm.typing import Array


def numbers_in(text: str, pattern: str) -> Array:
    """Return the numbers of all marks in a text, int64.

    Raises
    ------
    ItemError
        If there is no mark, or the group of one is not a number.
    """
    import numpy as np

    found = [_number(match) for match in re.finditer(pattern, text)]
    if not found:
        raise _no_marks([pattern])
    return np.array(found, np.int64)


def rows_in(text: str, patterns: Sequence[str]) -> Array:
    """Return the numbers of the marks of each book, of shape (books, frames), int64.

    The marks of a frame come in the order of the first frame, so that a lost one is noticed. If all marks of a book
    come before those of the next, there is no such order. Marks of an unfinished last frame are left out.

    Raises
    ------
    ItemError
        If a book has no mark, or a mark is missing in the middle.
    """
    import numpy as np

    marks = [(match, book) for book, pattern in enumerate(patterns) for match in re.finditer(pattern, text)]
    marks.sort(key=lambda mark: mark[0].start())
    order = [book for _, book in marks]
    if missing := [pattern for book, pattern in enumerate(patterns) if book not in order]:
        raise _no_marks(missing)
    if order != sorted(order):
        _check_turns(order, len(patterns))
    rows = [[_number(match) for match, of in marks if of == book] for book in range(len(patterns))]
    shortest = min(map(len, rows))
    return np.array([row[:shortest] for row in rows], np.int64)


def _check_turns(order: Sequence[int], count: int) -> None:
    """Raise `ItemError` unless the books of marks repeat the order of the first frame."""
    first = list(dict.fromkeys(order))  # each book once, where it comes first
    for place, book in enumerate(order):
        if book != first[place % count]:
            raise ItemError(
                f"frame {place // count} lacks its mark of book {first[place % count]}: a mark of book {book} follows",
                code="incomplete-frame",
                hint="a mark was lost or added there, so that later frames would be paired wrongly",
            )


def undo_streams(layout: TokenLayout, text: str) -> dict[str, Array]:
    """Return the codes of each stream of a text, int64, by its name; those of fixed length are cut or filled with 0.

    Raises
    ------
    ItemError
        If a stream that has no fixed length has no mark.
    """
    import numpy as np

    found = {}
    for name, pattern in layout.streams_text.items():
        numbers = np.array([_number(match) for match in re.finditer(pattern, text)], np.int64)
        length = layout.fixed.get(name)
        if not numbers.size and length is None:
            raise _no_marks([pattern])
        found[name] = numbers if length is None else np.resize(np.append(numbers, np.zeros(length, np.int64)), length)
    return found


def _number(match: re.Match[str]) -> int:
    """Return the number of a mark."""
    digits = match[1] or ""
    if not re.fullmatch(r"[+-]?[0-9]+", digits) or len(digits) > 18 or abs(int(digits)) > GREATEST:
        raise ItemError(
            f"the mark {one_line(match[0])} at character {match.start()} of the text has no number that is a token",
            code="bad-token",
            hint="group 1 of the pattern is the number",
        )
    return int(digits)


def _no_marks(patterns: Sequence[str]) -> ItemError:
    """Return the error for a text without any token."""
    marks = " and ".join(map(one_line, patterns))
    return ItemError(
        f"the text has no mark {marks}",
        code="no-tokens",
        hint="check the layout, or whether the model gave sound at all",
    )
