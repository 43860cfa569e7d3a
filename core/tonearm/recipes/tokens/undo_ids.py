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

    parts = []
    for section in _sections(layout, np.arange(ids.size), ids, warn):
        kept = _between_marks(layout, section, ids, warn)
        if spare := kept.size % layout.streams:
            warn(f"{spare} {what}s of an unfinished turn of {layout.streams} streams are left out")
        tracks = kept[: kept.size - spare].reshape(-1, layout.streams).T
        parts.append(_frames(layout, tracks, ids, warn, what))
    return by_level(layout, np.concatenate(parts, axis=2))


def by_level(layout: TokenLayout, codes: Array) -> Array | tuple[Array, ...]:
    """Return codes of shape (channels, positions, frames) by book, or by level where levels have rates."""
    import numpy as np

    positions = np.array(layout.positions)
    channels = codes.shape[0]
    levels = [
        codes[:, positions == level].transpose(0, 2, 1).reshape(channels, -1) for level in range(positions.max() + 1)
    ]
    return tuple(levels) if layout.level_strides else np.stack(levels, axis=1)


def _sections(layout: TokenLayout, places: Array, ids: Array, warn: Callable[[str], None]) -> list[Array]:
    """Return the places of the ids of each section; one section if neither layout nor ids have marks of any."""
    import numpy as np

    sections = layout.sections
    if sections is None or not np.isin(ids, (sections.start, sections.end)).any():
        return [places]
    found = []
    end = -1
    for start in np.flatnonzero(ids == sections.start):
        if start < end:
            continue
        behind = np.flatnonzero(ids[start + 1 :] == sections.end)
        end = int(start + 1 + behind[0]) if behind.size else ids.size
        if not behind.size:
            warn(f"the section from token {start} on has no end; it is read to the end of the sequence")
        first = start + 1
        if sections.skip_first_id is not None and first < end and ids[first] == sections.skip_first_id:
            first += 1
        found.append(places[first:end])
    if not found:
        message = f"the sequence has the end of a section, {sections.end}, but no start, {sections.start}"
        raise ItemError(message, code="no-tokens", hint="give the ids with all their marks, or without any")
    return found


def _between_marks(layout: TokenLayout, places: Array, ids: Array, warn: Callable[[str], None]) -> Array:
    """Return the places of a section that hold codes: between the marks, and without the ids that are left out."""
    import numpy as np

    has_start = False
    if layout.start_after is not None:
        starts = np.flatnonzero(ids[places] == layout.start_after)
        has_start = starts.size > 0
        if has_start:
            places = places[int(starts[-1 if layout.which == "last" else 0]) + 1 :]
    ends = np.flatnonzero(np.isin(ids[places], layout.end_at))
    if ends.size:
        places = places[: int(ends[0])]
    elif has_start and layout.end_at:
        ends_with = " or ".join(map(str, layout.end_at))
        warn(f"there is no end mark, {ends_with}; the sequence, which may have been cut off, is read to its end")
    found = ids[places]
    kept = ~np.isin(found, layout.drop)
    if layout.drop_from is not None:
        kept &= found < layout.drop_from
    if layout.drop_below is not None:
        kept &= found >= layout.drop_below
    kept_places: Array = places[kept]
    return kept_places


def _frames(layout: TokenLayout, tracks: Array, ids: Array, warn: Callable[[str], None], what: str) -> Array:
    """Return the codes of a section, of shape (streams, positions, frames), from the places of each stream's ids."""
    positions = layout.positions
    streams, width = tracks.shape[0], len(positions)
    count, spare = divmod(tracks.shape[1], width)
    whole = tracks[:, : count * width].reshape(streams, count, width).transpose(0, 2, 1)
    limits = [layout.sizes[level] for level in positions] if layout.sizes else None

    def describe(stream: int, position: int, frame: int) -> tuple[str, str]:
        place = int(whole[stream, position, frame])
        named = f"stream {stream}, " if streams > 1 else ""
        where = f"{named}frame {frame}, position {position}: {what} {place} ({int(ids[place])})"
        later, after = divmod(frame * width + position + 1, width)
        alone = later < count and limits is not None and 0 <= codes[stream, after, later] < limits[after]
        return where, _reason(layout, int(ids[place]), frame, alone=alone)

    codes = undone_offsets(layout, ids[whole])
    found: Array = checked_codes(codes, limits, layout.invalid, describe)
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
    """Return the codes of ids whose last axes are the positions of a frame, and the frames."""
    codes: Array = ids - first_ids(layout, ids.shape[-2])
    return codes


def first_ids(layout: TokenLayout, positions: int) -> Array:
    """Return the id of code 0 at each position of a frame, of shape (positions, 1), int64."""
    import numpy as np

    first: Array = layout.offset + layout.per_position * np.arange(positions, dtype=np.int64)[:, None]
    return first


def _reason(layout: TokenLayout, found: int, frame: int, *, alone: bool) -> str:
    """Return why an id may be out of range, if it fits another position; an empty text if it fits none.

    Parameters
    ----------
    layout
        Layout.
    found
        Id.
    frame
        Frame that it is in.
    alone
        Whether the id behind it fits its own position, so that the phase is right.
    """
    if not (layout.per_position and layout.sizes):
        return ""
    for other, level in enumerate(layout.positions):
        code = found - layout.offset - layout.per_position * other
        if 0 <= code < min(layout.sizes[level], GREATEST):
            if alone:
                return f"it fits position {other}, and the one behind it is in its place: a single wrong id"
            return (
                f"it fits position {other}: a token was lost or added, and the phase is off from frame {frame} on;"
                f" cut the sequence there, or generate it again"
            )
    return ""
