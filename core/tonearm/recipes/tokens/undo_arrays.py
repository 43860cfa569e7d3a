"""Arrays of codec tokens: steps cut, delays undone, and the end found, by the fields of a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.errors import ItemError, SetOption
from tonearm.recipes.tokens.layout_checks import MAX_BOOKS, axis_names
from tonearm.recipes.tokens.undo_values import checked_codes

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import BookMark, TokenLayout
    from tonearm.typing import Array


def undo_array(layout: TokenLayout, ids: Array) -> tuple[Array, int | None]:
    """Return the codes of one element of a batch, and the number of frames that are not padding, if ``pad`` tells.

    Parameters
    ----------
    layout
        Layout of an array.
    ids
        Ids of shape (channels, rows, steps), int64.

    Returns
    -------
    tuple
        Codes of shape (channels, books, frames), int32; and the number of frames, None if it is unknown.

    Raises
    ------
    ItemError
        If there is another number of books, too few steps, or a code is out of range.
    """
    ids = _codes_only(layout, ids)
    ids, cut = _cut_steps(layout, ids)
    delays = layout.delays or (0,) * ids.shape[1]
    ids = _undelayed(ids, delays)
    ids, head = _cut_frames(layout, ids)
    sound = None
    if layout.pad is not None:
        held = (ids[:, 0] != layout.pad).any(axis=0)
        sound = int(held.sum())
    if layout.offset or layout.offset0:
        padded = None if layout.pad is None else ids == layout.pad
        ids = ids - layout.offset
        ids[:, 0] -= layout.offset0
        if padded is not None:
            ids[padded] = layout.pad

    def describe(channel: int, book: int, frame: int) -> tuple[str, str]:
        step = frame + head + cut + delays[book]
        moved = f" (step {step} of the array)" if step != frame else ""
        named = f"channel {channel}, " if ids.shape[0] > 1 else ""
        return f"{named}book {book}, frame {frame}{moved}", ""

    codes = checked_codes(ids, layout.sizes_of(ids.shape[1]), layout.invalid, describe, pad=layout.pad)
    if sound is not None:
        sound = max(0, sound - (ids.shape[2] - codes.shape[2]))  # without the frames that `invalid` leaves out
    return codes, sound


def _codes_only(layout: TokenLayout, ids: Array) -> Array:
    """Return the rows that hold codes."""
    found, wanted = ids.shape[1], layout.book_count
    if layout.rows:
        first, end = layout.rows
        if found < end:
            raise ItemError(
                f"the array has {found} rows, but rows {first} to {end - 1} hold the codes",
                code="wrong-books",
                hint=_HINT,
            )
        return ids[:, first:end]
    if wanted is not None and found != wanted:
        axes = layout.raw_axes
        swapped = tuple({"book": "frame", "frame": "book"}.get(name, name) for name in axes)
        fits = ids.shape[2] == wanted and swapped != axes
        raise ItemError(
            f"the array has {found} {'book' if found == 1 else 'books'}, but the layout {layout.label} has {wanted}",
            code="wrong-books",
            remedies=(SetOption("axes", list(swapped)),) if fits else (),
            hint="" if fits else _HINT,
        )
    if found > MAX_BOOKS:
        raise ItemError(
            f"the array has {found} books of {ids.shape[2]} frames, more than any codec", code="wrong-books", hint=_HINT
        )
    return ids


_HINT = "check the layout, and the order of its axes"


def _cut_steps(layout: TokenLayout, ids: Array) -> tuple[Array, int]:
    """Return the steps between the marks that stand before delays are undone, and how many are cut at the start."""
    import numpy as np

    head, tail = layout.columns
    if head + tail > ids.shape[2]:
        raise ItemError(
            f"the array has {ids.shape[2]} steps, but the layout cuts {head + tail} (columns)", code="no-tokens"
        )
    ids = ids[:, :, head : ids.shape[2] - tail]
    cut = head
    if layout.lead_rows is not None:
        others = np.flatnonzero(~_marked(ids, layout.lead_rows))
        lead = int(others[0]) if others.size else ids.shape[2]
        ids, cut = ids[:, :, lead:], cut + lead
    if layout.lead_delayed is not None:
        leading = np.flatnonzero(_marked(ids, layout.lead_delayed))
        lead = int(leading[-1]) + 1 if leading.size else 0
        ids, cut = ids[:, :, lead:], cut + lead
    if layout.end_delayed is not None:
        ends = np.flatnonzero(_marked(ids, layout.end_delayed))
        ids = ids[:, :, : int(ends[0])] if ends.size else ids
    return ids, cut


def _undelayed(ids: Array, delays: tuple[int, ...]) -> Array:
    """Return frames of steps: book ``b`` of a frame is ``delays[b]`` steps behind it."""
    import numpy as np

    longest = max(delays)
    if not longest:
        return ids
    frames = ids.shape[2] - longest
    if frames <= 0:
        raise ItemError(
            f"{ids.shape[2]} steps are not a whole frame, whose books are delayed by up to {longest} steps",
            code="incomplete-frame",
            hint="the sequence was cut off, or its delays are undone already: then use a layout without delays",
        )
    return np.stack([ids[:, book, delay : delay + frames] for book, delay in enumerate(delays)], axis=1)


def _cut_frames(layout: TokenLayout, ids: Array) -> tuple[Array, int]:
    """Return the frames up to the marks that stand after delays are undone, and how many are cut at the start."""
    import numpy as np

    if layout.end is not None:
        ends = np.flatnonzero(_marked(ids, layout.end))
        ids = ids[:, :, : int(ends[0])] if ends.size else ids
    if layout.last_not is not None:
        others = np.flatnonzero(~_marked(ids, layout.last_not))
        ids = ids[:, :, : int(others[-1]) + 1] if others.size else ids[:, :, :0]
    head, tail = layout.trim
    return ids[:, :, head : max(ids.shape[2] - tail, head)], head


def _marked(ids: Array, mark: BookMark) -> Array:
    """Return whether each step or frame holds a mark, of shape (steps,)."""
    import numpy as np

    if mark.book is not None and mark.book >= ids.shape[1]:
        raise ItemError(
            f"a mark of the layout is in book {mark.book}, but the array has {ids.shape[1]} books",
            code="wrong-books",
            hint="check the layout, and the order of its axes",
        )
    held: Array = ids == mark.all if mark.book is None else ids[:, mark.book] == mark.id
    return np.asarray(held.all(axis=tuple(range(held.ndim - 1))))


def has_segments(layout: TokenLayout, axes: tuple[str, ...] | None) -> bool:
    """Return whether the axes of an array have one for segments that the codec decodes alone."""
    return "segment" in axis_names(axes or layout.raw_axes)
