"""Ragged codec tokens: an array of its own for each level, whose rates differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError
from tonearm.recipes.tokens.undo_values import checked_codes

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import TokenLayout
    from tonearm.typing import Array


def undo_levels(layout: TokenLayout, levels: Sequence[Array]) -> tuple[tuple[Array, ...], tuple[int, ...]]:
    """Return the codes of each level, of shape (channels, frames), and the strides of the levels.

    Parameters
    ----------
    layout
        Ragged layout.
    levels
        Ids of each level of shape (channels, frames), coarse first, int64.

    Raises
    ------
    ItemError
        If the lengths are not in the ratio of the strides, or a code is out of range.
    """
    import numpy as np

    lengths = [level.shape[-1] for level in levels]
    strides = _strides(layout, lengths)
    counts = [strides[0] // stride for stride in strides]
    frames, channels = lengths[0], levels[0].shape[0]
    parts = [level.reshape(channels, frames, -1).transpose(0, 2, 1) for level in levels]
    owners = [level for level, count in enumerate(counts) for _ in range(count)]
    sizes = layout.sizes_of(len(levels))
    limits = [sizes[level] for level in owners] if sizes else None

    def describe(channel: int, row: int, frame: int) -> tuple[str, str]:
        level = owners[row]
        place = frame * counts[level] + row - owners.index(level)
        named = f"channel {channel}, " if channels > 1 else ""
        return f"{named}level {level}, frame {place}", ""

    codes = checked_codes(np.concatenate(parts, axis=1), limits, layout.invalid, describe)
    found = np.split(codes, np.cumsum(counts)[:-1], axis=1)
    return tuple(part.transpose(0, 2, 1).reshape(channels, -1) for part in found), strides


def _strides(layout: TokenLayout, lengths: list[int]) -> tuple[int, ...]:
    """Return the strides of levels of these lengths."""
    strides, frames = layout.strides, lengths[0]
    if strides and len(strides) != len(lengths):
        raise ItemError(
            f"there are {len(lengths)} levels, but the layout {layout.label} has {len(strides)}",
            code="wrong-books",
            hint="give one array for each level, coarse first",
        )
    if not frames:
        raise ItemError("the levels hold no token", code="no-tokens")
    if not strides and not any(length % frames for length in lengths) and not any(lengths[-1] % one for one in lengths):
        strides = tuple(lengths[-1] // length for length in lengths)
    wanted = [frames * (strides[0] // stride) for stride in strides]
    if wanted != lengths:
        is_reversed = sorted(lengths, reverse=True) == lengths and len(set(lengths)) > 1
        ratio = ":".join(str(strides[0] // stride) for stride in strides)
        raise ItemError(
            f"the levels have {', '.join(map(str, lengths))} frames, not in the ratio {ratio or 'of whole numbers'}",
            code="bad-levels",
            hint="give the coarse level first" if is_reversed else "a level may be cut off; check the model's output",
        )
    return strides
