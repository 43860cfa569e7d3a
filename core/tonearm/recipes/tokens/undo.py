"""Undoing layouts: raw tokens as a model writes them become the codes that the codec's decoder takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from tonearm.errors import ItemError
from tonearm.recipes.tokens.layout import OWN_DECODER, TokenLayout
from tonearm.recipes.tokens.layout_checks import AXES, TOKEN, axes_problem
from tonearm.recipes.tokens.undo_arrays import has_segments, undo_array
from tonearm.recipes.tokens.undo_axes import arranged, rows_of_ids
from tonearm.recipes.tokens.undo_ids import undo_ids, undone_offsets
from tonearm.recipes.tokens.undo_levels import undo_levels
from tonearm.recipes.tokens.undo_text import numbers_in, rows_in
from tonearm.recipes.tokens.undo_values import checked_codes, whole_numbers

if TYPE_CHECKING:
    from tonearm.typing import Array

Raw: TypeAlias = "str | Array | Sequence[str] | Sequence[Array]"
"""Raw tokens: a text or several that follow one another, an array or several elements of a batch, or levels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Undone:
    """The codes of one element.

    Parameters
    ----------
    codes
        Codes of shape (channels, books, frames), int32; or of each level, of shape (channels, frames of the level).
        There may be no frame, if the end comes first.
    strides
        Frames of the finest level that a frame of each level spans; empty if all books have one rate.
    segments
        Number of frames of each segment that the codec decodes alone; None if there is one.
    sound_frames
        Number of frames that are not padding; None if all are.
    """

    codes: Array | tuple[Array, ...]
    strides: tuple[int, ...] = ()
    segments: tuple[int, ...] | None = None
    sound_frames: int | None = None

    @property
    def levels(self) -> tuple[Array, ...]:
        """Codes of each book or level, of shape (channels, frames), int32."""
        if isinstance(self.codes, tuple):
            return self.codes
        return tuple(self.codes[:, book] for book in range(self.codes.shape[1]))


def undo(
    layout: TokenLayout,
    raw: Raw,
    *,
    axes: Sequence[str] | None = None,
    lengths: Array | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Undone | ItemError]:
    """Yield the codes of each element of a batch.

    If one of several elements cannot be undone, its `ItemError` takes its place, and the others follow.

    Parameters
    ----------
    layout
        Layout.
    raw
        Text, or several texts that follow one another; an array; several arrays that are elements of a batch; or, of a
        ragged layout, the arrays of the levels.
    axes
        Names of the axes of the array in place of those of the layout; of flat ids ``batch`` and ``token``.
    lengths
        Number of tokens or steps of each element of a padded batch; None if nothing is padded.
    warn
        Function called with what is left out.

    Raises
    ------
    ItemError
        If the tokens cannot be those of the layout.
    """
    if layout.file:
        raise ItemError(
            f"the layout {layout.label} is a file format, .{layout.file}, not one of arrays or text",
            code="wrong-form",
            hint=f"read the .{layout.file} file itself",
        )
    if layout.streams_text:
        raise ItemError(
            layout.refusal_message,
            code="needs-second-stream",
            hint=OWN_DECODER,
        )
    if is_text(raw):
        yield _undone_text(layout, raw if isinstance(raw, str) else "".join(map(str, raw)), warn)
        return
    arrays = _arrays(layout, raw)
    named = tuple(axes or layout.raw_axes)
    if layout.form == "ragged":
        yield from _elements(_undone_levels(layout, arrays, axes))
    elif named[0] == "segment" and len(arrays) > 1 and all(one.ndim == len(named) - 1 for one in arrays):
        yield from _elements(_undone_segments(layout, arrays, named[1:]))
    elif len(arrays) == 1:
        yield from _elements(_undone_array(layout, arrays[0], axes, lengths, warn))
    else:
        yield from _elements(one for array in arrays for one in _undone_array(layout, array, axes, None, warn))


def is_text(raw: Any) -> bool:
    """Return whether raw tokens are a text, or several."""
    if isinstance(raw, str):
        return True
    return isinstance(raw, (list, tuple)) and bool(raw) and all(isinstance(one, str) for one in raw)


def _arrays(layout: TokenLayout, raw: Any) -> list[Array]:
    """Return raw tokens as arrays: one array, elements of a batch, or levels; lists of numbers among them."""
    import numpy as np

    if hasattr(raw, "dtype"):
        return [raw]
    given = list(raw)
    if not given:
        raise ItemError("there is no token", code="no-tokens")
    if all(np.isscalar(one) for one in given):
        return [np.asarray(given)]
    if layout.form == "array" and not any(hasattr(one, "dtype") for one in given):
        try:
            return [np.array(given)]
        except ValueError:  # elements of different lengths
            pass
    try:
        return [np.asarray(one) for one in given]
    except ValueError as error:
        raise ItemError("rows of one element have different lengths", code="ragged") from error


def _elements(work: Iterable[Callable[[], Undone]]) -> Iterator[Undone | ItemError]:
    """Yield what each function returns, or its error with the number of the element; raise that of the only one."""
    waiting = list(work)
    for index, one in enumerate(waiting):
        try:
            yield one()
        except ItemError as error:
            if len(waiting) == 1:
                raise
            yield of_element(error, index)


def of_element(error: ItemError, index: int) -> ItemError:
    """Return an error whose message names the element of the batch."""
    message = f"element {index} of the batch: {error.message}"
    return ItemError(message, code=error.code, remedies=error.remedies)


def _undone_text(layout: TokenLayout, text: str, warn: Callable[[str], None]) -> Undone:
    """Return the codes of a text."""
    if layout.form != "text":
        raise ItemError(
            f"the layout {layout.label} is of {_FORMS[layout.form]}, but these tokens are text",
            code="wrong-form",
            hint="choose a layout with a pattern; tonearm layouts lists all",
        )
    if layout.pattern:
        return _undone_ids(layout, numbers_in(text, layout.pattern), warn, "mark")
    return _undone_rows(layout, rows_in(text, layout.books))


def _undone_rows(layout: TokenLayout, rows: Array) -> Undone:
    """Return the codes of the rows of several books."""

    def describe(_: int, book: int, frame: int) -> tuple[str, str]:
        return f"book {book}, frame {frame}", ""

    codes = undone_offsets(layout, rows)[None]
    return Undone(codes=checked_codes(codes, layout.sizes or None, layout.invalid, describe))


_FORMS = {"flat": "flat ids", "array": "arrays", "ragged": "levels"}


def _undone_ids(layout: TokenLayout, ids: Array, warn: Callable[[str], None], what: str) -> Undone:
    """Return the codes of a sequence of ids."""
    return Undone(codes=undo_ids(layout, ids, warn=warn, what=what), strides=layout.level_strides)


def _undone_array(
    layout: TokenLayout, array: Array, axes: Sequence[str] | None, lengths: Array | None, warn: Callable[[str], None]
) -> Iterator[Callable[[], Undone]]:
    """Yield a function for each element of an array's batch that returns its codes."""
    if not array.size:
        raise ItemError(f"the array holds no token: its shape is {array.shape}", code="no-tokens")
    ids = whole_numbers(array)
    if layout.form == "array" or layout.books:
        yield from _undone_grid(layout, ids, axes, lengths)
        return
    _check_axes(axes, ("batch", TOKEN), TOKEN)
    rows = rows_of_ids(ids, axes)
    ends = _ends(lengths, rows.shape[0], rows.shape[1], "tokens")
    for row, end in zip(rows, ends, strict=True):
        yield lambda row=row, end=end: _undone_ids(layout, row[:end], warn, "token")  # type: ignore[misc]


def _undone_grid(
    layout: TokenLayout, ids: Array, axes: Sequence[str] | None, lengths: Array | None
) -> Iterator[Callable[[], Undone]]:
    """Yield a function for each element of a batch of arrays of books and frames."""
    _check_axes(axes, AXES, "frame")
    named = (
        tuple(axes or layout.axes or layout.raw_axes) if layout.form == "array" else tuple(axes or ("book", "frame"))
    )
    count = layout.book_count if not layout.rows else None
    sizes = {name: size for name, size in (("book", count), ("channel", layout.channels)) if size}
    batch = arranged(ids, named, sizes)
    elements, channels, segments, books, frames = batch.shape
    ends = _ends(lengths, elements, frames * segments, "frames")
    joined = batch.transpose(0, 1, 3, 2, 4).reshape(elements, channels, books, segments * frames)
    whole = (frames,) * segments if has_segments(layout, named) and segments > 1 else None
    for element, end in zip(joined, ends, strict=True):
        yield lambda element=element, end=end: _undone_element(layout, element[:, :, :end], whole)  # type: ignore[misc]


def _undone_segments(
    layout: TokenLayout, arrays: Sequence[Array], axes: tuple[str, ...]
) -> Iterator[Callable[[], Undone]]:
    """Yield a function for each element of a batch whose segments are arrays of their own, of any length."""
    import numpy as np

    grids = [arranged(whole_numbers(array), axes, {})[:, :, 0] for array in arrays]
    if len({grid.shape[:3] for grid in grids}) > 1:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ItemError(f"the segments differ in more than their lengths: {shapes}", code="wrong-books")
    segments = tuple(grid.shape[3] for grid in grids)
    for element in np.concatenate(grids, axis=3):
        yield lambda element=element: _undone_element(layout, element, segments)  # type: ignore[misc]


def _undone_element(layout: TokenLayout, ids: Array, segments: tuple[int, ...] | None) -> Undone:
    """Return the codes of one element of a batch."""
    if layout.books:
        if ids.shape[1] != len(layout.books):
            message = f"the array has {ids.shape[1]} books, but the layout {layout.label} has {len(layout.books)}"
            raise ItemError(message, code="wrong-books", hint="check the layout, and the order of the axes")
        return _undone_rows(layout, ids[0])
    codes, sound = undo_array(layout, ids)
    left, found = codes.shape[-1] + layout.trim[0], []
    for number, frames in enumerate(segments or ()):
        found.append(min(frames, left) - (0 if number else layout.trim[0]))
        left -= min(frames, left)
    return Undone(codes=codes, segments=tuple(filter(None, found)) if segments else None, sound_frames=sound)


def _undone_levels(
    layout: TokenLayout, arrays: Sequence[Array], axes: Sequence[str] | None
) -> Iterator[Callable[[], Undone]]:
    """Yield a function for each element of a batch whose levels are arrays of their own."""
    _check_axes(axes, ("batch", "channel", "frame"), "frame")
    named = axes or layout.raw_axes
    levels = [arranged(whole_numbers(array), named, {})[:, :, 0, 0] for array in arrays]
    if len({level.shape[:2] for level in levels}) > 1:
        raise ItemError(
            f"the levels have different numbers of elements: {', '.join(str(array.shape) for array in arrays)}",
            code="bad-levels",
        )
    for index in range(levels[0].shape[0]):

        def work(index: int = index) -> Undone:
            codes, strides = undo_levels(layout, [level[index] for level in levels])
            return Undone(codes=codes, strides=strides)

        yield work


def _check_axes(axes: Sequence[str] | None, known: Sequence[str], needed: str) -> None:
    """Raise `ItemError` if the user names axes that raw tokens of this form do not have."""
    if axes is not None and (problem := axes_problem(axes, known, needed)):
        raise ItemError(problem, code="axes-mismatch")


def _ends(lengths: Array | None, elements: int, longest: int, what: str) -> list[int]:
    """Return the number of steps of each element."""
    if lengths is None:
        return [longest] * elements
    found = whole_numbers(lengths).reshape(-1)
    if found.size != elements or found.min() < 0 or found.max() > longest:
        raise ItemError(
            f"lengths {found.tolist()[:8]} do not fit {elements} elements of {longest} {what}",
            code="bad-lengths",
            hint=f"lengths count {what} of each element",
        )
    return [int(length) for length in found]
