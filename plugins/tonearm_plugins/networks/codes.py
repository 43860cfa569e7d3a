"""Codes of codec tokens against the codebooks of their codec, before a network works on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tonearm.api import Advice, ItemError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sizes_of_rows(sizes: Sequence[int], counts: Sequence[int]) -> tuple[int, ...]:
    """Return the number of codes of each row of a block array.

    Parameters
    ----------
    sizes
        Number of codes of each book or level.
    counts
        Codes that each level has in a frame; empty if all books have one rate.

    Examples
    --------
    >>> sizes_of_rows((4096, 4096, 4096), (1, 2, 4))
    (4096, 4096, 4096, 4096, 4096, 4096, 4096)
    """
    if not sizes or not counts:
        return tuple(sizes)
    return tuple(size for size, count in zip(sizes, counts, strict=True) for _ in range(count))


def check_block_codes(codes: NDArray[Any], sizes: Sequence[int], counts: Sequence[int] = (), first: int = 0) -> None:
    """Raise `ItemError` unless all codes are in the codebooks of their rows.

    Parameters
    ----------
    codes
        (channels, rows, frames), as `CodecTokens.block_array` gives them.
    sizes
        Number of codes of each row; empty if unknown, so that only negative codes are refused.
    counts
        Codes that each level has in a frame; empty if all books have one rate.
    first
        Frame of the signal with which the codes begin.
    """
    import numpy as np

    most = np.array(sizes or [np.iinfo(np.int64).max] * codes.shape[1])[:, None]
    if not codes.size or (int(codes.min()) >= 0 and int(codes.max()) < int(most.min())):
        return
    wrong = np.argwhere((codes < 0) | (codes >= most))
    if not wrong.size:
        return
    wrong = wrong[np.lexsort((wrong[:, 1], wrong[:, 2], wrong[:, 0]))]
    channel, row, frame = (int(number) for number in wrong[0])
    book, place = row, first + frame
    if counts:
        ends = np.cumsum(counts)
        book = int(np.searchsorted(ends, row, side="right"))
        place = place * counts[book] + row - int(ends[book] - counts[book])
    noun = "level" if counts else "book"
    where = f"channel {channel}, " if codes.shape[0] > 1 else ""
    range_ = f"0 to {int(most[row, 0]) - 1}" if sizes else "0 or more"
    raise ItemError(
        f"code {int(codes[channel, row, frame])} in {where}{noun} {book}, frame {place} is not one of {range_}"
        f"{f'; nor are {len(wrong) - 1} others' if len(wrong) > 1 else ''}",
        code="bad-token",
        remedies=(Advice("check the layout, its offsets and sizes, against the model that wrote the codes"),),
    )
