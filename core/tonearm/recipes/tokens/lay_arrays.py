"""Arrays of codec tokens, made of codes: marks, delays and axes as a model writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError
from tonearm.recipes.tokens.layout_checks import AXES, axis_names, axis_parts

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import BookMark, TokenLayout
    from tonearm.typing import Array


def lay_array(layout: TokenLayout, codes: Array, segments: Sequence[int] | None) -> Array:
    """Return the array of codes, int64, with the axes, the delays and the marks of the layout.

    Parameters
    ----------
    layout
        Layout of an array that is invertible.
    codes
        Codes of shape (channels, books, frames).
    segments
        Number of frames of each segment; None if there is one.

    Raises
    ------
    ItemError
        If the array has no axis for the channels or segments.
    """
    import numpy as np

    before, behind = (value or 0 for value in layout.filling)
    ids = codes.astype(np.int64) + layout.offset
    ids[:, 0] += layout.offset0
    ids = _padded(ids, layout.trim, before, behind)
    if layout.end is not None:
        ids = np.concatenate([ids, _marked_step(ids, layout.end, layout.fill or 0)], axis=2)
    ids = _delayed(ids, layout.delays, before, behind)
    if layout.end_delayed is not None:
        ids = np.concatenate([ids, _marked_step(ids, layout.end_delayed, behind)], axis=2)
    for mark in (layout.lead_delayed, layout.lead_rows):
        if mark is not None:
            ids = np.concatenate([_marked_step(ids, mark, mark.value), ids], axis=2)
    ids = _padded(ids, layout.columns, before, behind)
    return by_axes(_segmented(ids, segments), layout.raw_axes)


def by_axes(array: Array, axes: Sequence[str]) -> Array:
    """Return an array with the axes channel, segment, book and frame in the order of a layout, folded as it says.

    Raises
    ------
    ItemError
        If an axis with more than one value is not among them.
    """
    names = axis_names(axes)
    whole = array[None]
    for index, name in enumerate(AXES):
        if name not in names and whole.shape[index] > 1:
            many = f"{whole.shape[index]} {name}s"
            raise ItemError(f"the tokens have {many}, but the layout has no {name} axis", code="axes-mismatch")
    order = [AXES.index(name) for name in names]
    kept = whole.transpose([*(index for index in range(len(AXES)) if index not in order), *order])
    kept = kept.reshape(kept.shape[len(AXES) - len(order) :])
    sizes = iter(kept.shape)
    shape = []
    for name in axes:
        size = 1
        for _ in axis_parts(name):
            size *= next(sizes)
        shape.append(size)
    return kept.reshape(shape)


def _padded(ids: Array, counts: tuple[int, int], before: int, behind: int) -> Array:
    """Return ids with so many steps of one id before and behind them."""
    import numpy as np

    parts = [np.full((*ids.shape[:2], count), value) for count, value in zip(counts, (before, behind), strict=True)]
    return np.concatenate([parts[0], ids, parts[1]], axis=2)


def _marked_step(ids: Array, mark: BookMark, others: int) -> Array:
    """Return one step that holds a mark, and another id in books that the mark does not name."""
    import numpy as np

    step = np.full((*ids.shape[:2], 1), others if mark.all is None else mark.all)
    if mark.book is not None:
        step[:, mark.book] = mark.value
    return step


def _delayed(ids: Array, delays: Sequence[int], before: int, behind: int) -> Array:
    """Return steps of frames: each book comes later by its delay."""
    import numpy as np

    if not any(delays):
        return ids
    longest = max(delays)
    rows = [
        np.pad(ids[:, book], ((0, 0), (delay, longest - delay)), constant_values=((0, 0), (before, behind)))
        for book, delay in enumerate(delays)
    ]
    return np.stack(rows, axis=1)


def _segmented(ids: Array, segments: Sequence[int] | None) -> Array:
    """Return an array with the axes channel, segment, book and frame."""
    channels, books, steps = ids.shape
    count = len(segments or (0,))
    if steps % count or any(frames != steps // count for frames in (segments or ())[:-1]):
        raise ItemError(
            f"segments of {list(segments or ())} frames do not fit an array, whose segments have one length",
            code="incomplete-frame",
            hint="'trim: [0, FRAMES]' in the layout says how many frames the last segment lacks",
        )
    return ids.reshape(channels, books, count, steps // count).transpose(0, 2, 1, 3)
