"""Layouts that raw tokens may be in, by their axes and their greatest code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from tonearm.errors import ItemError
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import Undone, is_text, undo
from tonearm.recipes.tokens.undo_values import GREATEST

MOST_TOKENS = 2**20
"""Largest number of tokens that are tried in all layouts."""


def fitting_layouts(raw: Any, catalogue: Catalogue[TokenLayout]) -> list[str]:
    """Return the names of layouts that undo raw tokens without an error, the nearest ones first.

    Several arrays are levels before they are a batch, and rows are books before they are one. A layout that knows the
    number of books comes before one that takes any. Then, the nearer the greatest code is to the size of the books, the
    nearer is the layout.

    Parameters
    ----------
    raw
        Text, an array, or several of them.
    catalogue
        Catalogue of known layouts.
    """
    import numpy as np

    whole = is_text(raw) or hasattr(raw, "dtype") or all(np.isscalar(one) for one in raw)
    given: Sequence[Any] = [raw] if whole else list(raw)
    try:
        count = sum(np.size(one) for one in given)
    except ValueError:  # rows of different lengths
        return []
    if count > MOST_TOKENS:
        return []
    found = []
    for name, layout in catalogue.usable():
        missing = _missing_axes(layout, given)
        if layout.refusal or missing is None:
            continue
        try:
            elements = list(undo(replace(layout, invalid="error"), raw))
        except ItemError:
            continue
        greatest = max((_greatest(one) for one in elements), default=-1)
        if greatest >= 0:
            slack = 1 - (greatest + 1) / (layout.largest_size or GREATEST + 1)
            is_batch = layout.form == "flat" and np.ndim(given[0]) > 1  # of flat ids, as any rows may be
            found.append((not layout.ragged, is_batch, missing, layout.book_count is None, slack, name))
    return [name for *_, name in sorted(found)]


def _missing_axes(layout: TokenLayout, given: Sequence[Any]) -> int | None:
    """Return how many axes of a layout raw tokens lack, such as the batch; None if they cannot be in it at all."""
    import numpy as np

    if layout.form in ("text", "file") or is_text(given[0]):
        return 0 if layout.form == "text" and is_text(given[0]) else None
    if layout.form == "ragged" and len(given) < 2:
        return None
    axes = layout.raw_axes
    ranks = {np.ndim(one) for one in given}
    fewest = len([name for name in axes if name not in ("batch", "segment")])
    fits = len(ranks) == 1 and fewest <= min(ranks) <= len(axes)
    return len(axes) - min(ranks) if fits else None


def _greatest(found: Undone | ItemError) -> int:
    """Return the greatest code of an element; -1 if there is none."""
    if isinstance(found, ItemError):
        return -1
    return max((int(level.max()) for level in found.levels if level.size), default=-1)
