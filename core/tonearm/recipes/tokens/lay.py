"""Laying out codes: tokens become what a model writes, where its layout can be inverted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tonearm.errors import ItemError
from tonearm.recipes.tokens.lay_arrays import by_axes, lay_array
from tonearm.recipes.tokens.lay_ids import lay_ids
from tonearm.recipes.tokens.lay_text import text_of
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import undo
from tonearm.recipes.tokens.undo_ids import first_ids
from tonearm.signals import CodecTokens

if TYPE_CHECKING:
    from tonearm.typing import Array

Laid: TypeAlias = "str | Array | tuple[Array, ...]"
"""Raw tokens of one signal: a text, an array, or those of the levels."""


def lay_tokens(layout: TokenLayout, tokens: CodecTokens) -> Laid:
    """Return tokens in a layout: a text, an array of int64, or, of a ragged layout, the array of each level.

    What it returns has been undone again and compared, so that no code is taken for a mark.

    Parameters
    ----------
    layout
        Layout.
    tokens
        Tokens.

    Raises
    ------
    ItemError
        If the layout is not invertible, or cannot hold these tokens.
    """
    if layout.obstacle:
        raise ItemError(
            f"tokens cannot be written in the layout {layout.label}: {layout.obstacle}",
            code="layout-not-invertible",
            hint="write them without a layout, or in another one",
        )
    _check(layout, tokens)
    raw = _laid(layout, tokens)
    _compare(layout, tokens, raw)
    return raw


def _laid(layout: TokenLayout, tokens: CodecTokens) -> Laid:
    """Return tokens in a layout."""
    import numpy as np

    if layout.form == "array":
        return lay_array(layout, tokens.block_array(), tokens.segments)
    if layout.form == "ragged":
        return tuple(by_axes(level.astype(np.int64)[:, None, None], layout.raw_axes) for level in tokens.levels)
    if layout.books:
        rows = np.stack([level[0].astype(np.int64) for level in tokens.levels])
        return text_of((rows + first_ids(layout, len(rows))).tolist(), layout.books)
    ids = lay_ids(layout, tokens.levels)
    return text_of([ids.tolist()], [layout.pattern]) if layout.pattern else ids


def _check(layout: TokenLayout, tokens: CodecTokens) -> None:
    """Raise `ItemError` if a layout cannot hold tokens."""
    if (bool(layout.level_strides) or layout.form == "ragged") != bool(tokens.strides):
        held = "levels of their own rates" if tokens.strides else "books of one rate"
        raise ItemError(f"the tokens have {held}, but the layout {layout.label} has not", code="wrong-books")
    if layout.level_strides and layout.level_strides != tokens.strides:
        message = f"the tokens have strides {list(tokens.strides)}, but the layout has {list(layout.level_strides)}"
        raise ItemError(message, code="wrong-books")
    if layout.book_count not in (None, tokens.books):
        message = f"the tokens have {tokens.books} books, but the layout {layout.label} has {layout.book_count}"
        raise ItemError(message, code="wrong-books")
    wanted = layout.streams if layout.form in ("flat", "text") else layout.channels or tokens.channels
    if tokens.channels != wanted:
        message = f"the tokens have {tokens.channels} channels, but the layout {layout.label} has {wanted}"
        raise ItemError(message, code="wrong-books")


def _compare(layout: TokenLayout, tokens: CodecTokens, raw: Laid) -> None:
    """Raise `ItemError` if raw tokens, undone again, are not the tokens of which they were made."""
    import numpy as np

    (again,) = undo(layout, raw)
    if isinstance(again, ItemError):
        raise again
    for level, (mine, theirs) in enumerate(zip(tokens.levels, again.levels, strict=True)):
        frames = min(mine.shape[-1], theirs.shape[-1])
        differs = (mine[:, :frames] != theirs[:, :frames]).any(axis=0)
        if differs.any() or mine.shape != theirs.shape:
            place = int(np.argmax(differs)) if differs.any() else frames
            raise ItemError(
                f"the codes of frame {place} (book {level}) would be read as a mark in the layout {layout.label}",
                code="bad-token",
                hint="write the tokens without a layout, or in another one",
            )
