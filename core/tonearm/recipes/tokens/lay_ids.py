"""Flat ids of codec tokens, made of codes: positions of a frame, offsets, streams in turn, and marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError
from tonearm.recipes.tokens.undo_ids import first_ids

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import TokenLayout
    from tonearm.typing import Array


def lay_ids(layout: TokenLayout, levels: Sequence[Array]) -> Array:
    """Return the sequence of ids of codes, int64, with the marks of the layout.

    Parameters
    ----------
    layout
        Layout of flat ids, or of text with one pattern.
    levels
        Codes of each book or level, of shape (channels, frames); there are as many channels as streams.

    Raises
    ------
    ItemError
        If the codes are not whole frames of the layout.
    """
    import numpy as np

    blocks = _positions(layout, levels)
    tracks = (blocks + first_ids(layout, blocks.shape[1])).transpose(0, 2, 1).reshape(blocks.shape[0], -1)
    ids = tracks.T.reshape(-1)
    before: list[int] = []
    behind: list[int] = []
    if layout.sections is not None:
        skipped = layout.sections.skip_first_id
        before += [layout.sections.start, *([] if skipped is None else [skipped])]
        behind.append(layout.sections.end)
    if layout.start_after is not None:
        before.append(layout.start_after)
    if layout.end_at:
        behind.insert(0, layout.end_at[0])
    return np.concatenate([np.array(before, np.int64), ids, np.array(behind, np.int64)])


def _positions(layout: TokenLayout, levels: Sequence[Array]) -> Array:
    """Return the codes of shape (channels, positions, frames), int64."""
    import numpy as np

    positions = layout.positions
    channels = levels[0].shape[0]
    counts = [positions.count(level) for level in range(len(levels))]
    frames, spare = divmod(levels[0].shape[-1], counts[0])
    if spare:
        raise ItemError(
            f"{levels[0].shape[-1]} codes of a book are not whole frames of {counts[0]}", code="incomplete-frame"
        )
    blocks = np.empty((channels, len(positions), frames), np.int64)
    for level, codes in enumerate(levels):
        places = [place for place, owner in enumerate(positions) if owner == level]
        blocks[:, places] = codes.reshape(channels, frames, counts[level]).transpose(0, 2, 1)
    return blocks
