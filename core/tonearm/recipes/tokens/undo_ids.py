"""Flat ids of codec tokens: the frames in a sequence, by the marks and the positions of a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.errors import ItemError
from tonearm.recipes.tokens.undo_values import GREATEST, checked_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tonearm.recipes.tokens.layout import TokenLayout
    from tonearm.typing import Array


def undo_ids(
    layout: TokenLayout, ids: Array, *, warn: Callable[[str], None], what: str = "token"
) -> Array | tuple[Array, ...]:
    """Return the codes of a sequence of ids, of shape (channels, books, frames), or those of each level.

    Parameters
    ----------
    layout
        Layout of flat ids, or of text.
    ids
        Ids of shape (tokens,), int64.
    warn
        Function called with what is left out.
    what
        Word for an id in messages: ``token``, or ``mark`` of a text.

    Raises
    ------
    ItemError
        If an id is out of the range of its position, or the sequence ends in mid-frame.
    """
    import numpy as np

    frames: list[list[Array]] = [[] for _ in range(layout.streams)]
    for section in _sections(layout, np.arange(ids.size), ids):
        kept = _between_marks(layout, section, ids)
        if spare := kept.size % layout.streams:
            warn(f"{spare} {what}s of an unfinished turn of {layout.streams} streams are left out")
            kept = kept[: kept.size - spare]
        for stream, parts in enumerate(frames):
            parts.append(_frames(layout, kept[stream :: layout.streams], ids, warn, what))
    # Each stream has whole frames, and the same number of them.
    codes = np.stack([np.concatenate(parts, axis=-1) for parts in frames])
    return by_level(layout, codes)


def by_level(layout: TokenLayout, codes: Array) -> Array | tuple[Array, ...]:
    """Return codes of shape (channels, positions, frames) by book, or by level where levels have rates."""
    import numpy as np

    positions = np.array(layout.positions)
    channels = codes.shape[0]
    levels = [
        codes[:, positions == level].transpose(0, 2, 1).reshape(channels, -1) for level in range(positions.max() + 1)
    ]
    return tuple(levels) if layout.level_strides else np.stack(levels, axis=1)


def _sections(layout: TokenLayout, places: Array, ids: Array) -> list[Array]:
    """Return the places of the ids of each section; one section if the layout has none."""
    import numpy as np

    sections = layout.sections
    if sections is None:
        return [places]
    found = []
    end = -1
    for start in np.flatnonzero(ids == sections.start):
        if start < end:
            continue
        behind = np.flatnonzero(ids[start + 1 :] == sections.end)
        end = int(start + 1 + behind[0]) if behind.size else ids.size
        first = start + 1
        if sections.skip_first_id is not None and first < end and ids[first] == sections.skip_first_id:
            first += 1
        found.append(places[first:end])
    if not found:
        message = f"the sequence has no section: no id is {sections.start}"
        raise ItemError(message, code="no-tokens", hint="check the layout, or give the ids with their marks")
    return found


def _between_marks(layout: TokenLayout, places: Array, ids: Array) -> Array:
    """Return the places of a section that hold codes: between the marks, and without the ids that are left out."""
    import numpy as np

    if layout.start_after is not None:
        starts = np.flatnonzero(ids[places] == layout.start_after)
        if starts.size:
            places = places[int(starts[-1 if layout.which == "last" else 0]) + 1 :]
    ends = np.flatnonzero(np.isin(ids[places], layout.end_at))
    if ends.size:
        places = places[: int(ends[0])]
    found = ids[places]
    kept = ~np.isin(found, layout.drop)
    if layout.drop_from is not None:
        kept &= found < layout.drop_from
    if layout.drop_below is not None:
        kept &= found >= layout.drop_below
    kept_places: Array = places[kept]
    return kept_places


def _frames(layout: TokenLayout, places: Array, ids: Array, warn: Callable[[str], None], what: str) -> Array:
    """Return the codes of a stream of one section, of shape (positions, frames)."""
    positions = layout.positions
    width = len(positions)
    count, spare = divmod(places.size, width)
    whole = places[: count * width].reshape(count, width)
    limits = [layout.sizes[level] for level in positions] if layout.sizes else None

    def describe(_: int, position: int, frame: int) -> tuple[str, str]:
        place = int(whole[frame, position])
        where = f"frame {frame}, position {position}: {what} {place} ({int(ids[place])})"
        return where, _reason(layout, int(ids[place]), position, frame)

    codes = undone_offsets(layout, ids[whole].T)
    found: Array = checked_codes(codes[None], limits, layout.invalid, describe)[0]
    if spare and layout.incomplete == "error":
        raise ItemError(
            f"the sequence ends in mid-frame: frame {count} has {spare} of {width} {what}s",
            code="incomplete-frame",
            hint="'incomplete: drop' in the layout leaves the last frame out",
        )
    if spare:
        warn(f"{spare} {what}s of an unfinished last frame are left out")
    return found


def undone_offsets(layout: TokenLayout, ids: Array) -> Array:
    """Return the codes of ids of shape (positions, frames)."""
    import numpy as np

    first = layout.offset + layout.per_position * np.arange(ids.shape[0])
    codes: Array = ids - first[:, None]
    return codes


def _reason(layout: TokenLayout, found: int, position: int, frame: int) -> str:
    """Return why an id may be out of range: it fits another position, so that a token is lost or added before it."""
    if not (layout.per_position and layout.sizes):
        return ""
    for other, level in enumerate(layout.positions):
        code = found - layout.offset - layout.per_position * other
        if other != position and 0 <= code < min(layout.sizes[level], GREATEST):
            return (
                f"it fits position {other}: a token was lost or added, and the phase is off from frame {frame} on;"
                f" cut the sequence there, or generate it again"
            )
    return ""
