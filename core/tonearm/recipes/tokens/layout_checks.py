"""Checks that the fields of a layout of codec tokens do not contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import OptionError, one_line
from tonearm.recipes.catalogue import figure_defaults

if TYPE_CHECKING:
    from tonearm.recipes.tokens.layout import TokenLayout

AXES = ("batch", "channel", "segment", "book", "frame")
"""Names of the axes of an array of codes."""

MAX_BOOKS = 128
"""Largest number of books that a codec may have."""

TOKEN = "token"  # noqa: S105 - an axis
"""Name of the axis of flat ids."""

FLAT_FIELDS = (
    *("sections", "start_after", "end_at", "drop", "drop_from", "drop_below", "streams", "interleave"),
    *("incomplete", "per_position"),
)
"""Fields of flat ids and of text."""

ARRAY_FIELDS = (
    *("axes", "channels", "stacked", "rows", "columns", "lead_rows", "lead_delayed", "end_delayed", "delays", "end"),
    *("last_not", "trim", "pad", "offset0"),
)
"""Fields of arrays."""

_COUNTING = ("rows", "interleave", "books", "stacked", "delays", "strides", "codebooks", "size")
"""Fields that tell the number of books, the one that counts first."""

MARKS = ("lead_rows", "lead_delayed", "end_delayed", "end", "last_not")
"""Fields of arrays that mark steps or frames."""

_FOLDED = re.compile(r"\(\s*(\w+(?:[\s,]+\w+)+)\s*\)")


def axis_parts(name: str) -> tuple[str, ...]:
    """Return the names of the axes that a folded axis holds, such as ``(batch book)``; of any other, its own name."""
    folded = _FOLDED.fullmatch(name)
    return tuple(re.split(r"[\s,]+", folded[1])) if folded else (name,)


def axis_names(axes: Iterable[str]) -> list[str]:
    """Return the names of axes, with all names of each folded axis.

    Examples
    --------
    >>> axis_names(["(batch book)", "frame"])
    ['batch', 'book', 'frame']
    """
    return [part for name in axes for part in axis_parts(name)]


def axes_problem(axes: Sequence[str], known: Sequence[str], needed: str) -> str:
    """Return what is wrong with the names of axes; an empty text if nothing is.

    Parameters
    ----------
    axes
        Names, folded ones among them.
    known
        Names that there are.
    needed
        Name that has to be there.
    """
    names = axis_names(axes)
    for name in names:
        if name not in known:
            return f"tokens have no {one_line(name)} axis, only {', '.join(known)}"
        if names.count(name) > 1:
            return f"axes names {name} twice"
    return "" if needed in names else f"axes names no {needed} axis"


def check_layout(layout: TokenLayout) -> None:
    """Raise `OptionError`, which names the field, if fields contradict each other."""
    for problem in _problems(layout):
        raise problem


def _problems(layout: TokenLayout) -> Iterator[OptionError]:
    """Yield what is wrong with a layout."""
    yield from _form_problems(layout)
    yield from _pattern_problems(layout)
    yield from _flat_problems(layout)
    if layout.axes:
        if problem := axes_problem(layout.axes, AXES, "frame"):
            yield OptionError(problem, option="axes")
        if "segment" in axis_names(layout.axes):
            if layout.delays:
                yield OptionError("segments and delays exclude each other", option="delays")
            if layout.invalid == "drop_frame":
                message = "frames of a segment cannot be left out (invalid: drop_frame)"
                yield OptionError(message, option="invalid")
        folded = any(len(axis_parts(name)) > 1 for name in layout.axes)
        if layout.channels and not (folded and "channel" in axis_names(layout.axes)):
            yield OptionError(
                "'channels' is the size of a folded axis, and axes has no such channel", option="channels"
            )
    if layout.rows and layout.rows[0] >= layout.rows[1]:
        yield OptionError(f"rows {list(layout.rows)} are none", option="rows")
    yield from _count_problems(layout)


def is_given(layout: TokenLayout, name: str) -> bool:
    """Return whether a field has another value than its default."""
    return bool(getattr(layout, name) != figure_defaults(type(layout))[name])


def _form_problems(layout: TokenLayout) -> Iterator[OptionError]:
    """Yield contradictions between the fields of text, of flat ids and of arrays."""
    texts = [name for name in ("pattern", "books", "streams_text") if getattr(layout, name)]
    forms = [*texts, *(name for name in ("axes", "stacked", "ragged", "file") if getattr(layout, name))]
    if len(forms) > 1:
        yield OptionError(f"{forms[0]} and {forms[1]} exclude each other", option=forms[1])
    if not (forms or layout.interleave or layout.refuses):
        hint = "give axes for an array, interleave for flat ids, pattern for text, or ragged: true for levels"
        yield OptionError("the layout does not tell the form of the tokens", option="axes", hint=hint)
    owner = {"text": "text", "flat": "flat ids"}.get(layout.form, "arrays")
    wrong = FLAT_FIELDS if layout.form in ("array", "ragged", "file") or not (layout.pattern or not texts) else ()
    if layout.form != "array":
        wrong = (*wrong, *ARRAY_FIELDS)
    for name in wrong:
        if is_given(layout, name):
            yield OptionError(f"'{name}' has no meaning in a layout of {forms[0] if texts else owner}", option=name)
    for name in layout.fixed:
        if name not in layout.streams_text:
            yield OptionError(f"there is no stream {one_line(name)}", option="fixed")


def _pattern_problems(layout: TokenLayout) -> Iterator[OptionError]:
    """Yield patterns that are not regular expressions, or that have no group for the number."""
    given = [("pattern", layout.pattern)] if layout.pattern else []
    given += [("books", one) for one in layout.books]
    given += [("streams_text", one) for one in layout.streams_text.values()]
    for name, pattern in given:
        try:
            groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError, MemoryError) as error:  # by repetitions and by nesting
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
            yield OptionError(f"{one_line(pattern)} is not a regular expression: {reason}", option=name)
            continue
        if not groups:
            message = f"the pattern {one_line(pattern)} has no group for the number"
            yield OptionError(message, option=name, hint=r"write it in brackets, as in '<\|s_(\d+)\|>'")


def _flat_problems(layout: TokenLayout) -> Iterator[OptionError]:
    """Yield contradictions between the fields of flat ids."""
    if layout.per_position and not layout.interleave:
        yield OptionError("'per_position' needs interleave, the book of each position", option="per_position")
    positions = layout.positions
    levels = max(positions) + 1
    if len(set(positions)) != levels:
        yield OptionError(f"interleave {list(positions)} leaves a book without a position", option="interleave")
        return
    counts = [positions.count(level) for level in range(levels)]
    if any(max(counts) % count for count in counts) or (len(set(counts)) > 1 and counts[-1] != max(counts)):
        message = f"levels with {counts} codes a frame do not come coarse first, each a whole part of the last"
        yield OptionError(message, option="interleave")
    elif layout.interleave and layout.strides and layout.strides != tuple(max(counts) // count for count in counts):
        message = f"strides {list(layout.strides)} contradict interleave, which has {counts} codes of each level"
        yield OptionError(message, option="strides")
    low, high = layout.drop_below, layout.drop_from
    if low is not None and high is not None and low >= high:
        yield OptionError(f"no id is left between drop_below {low} and drop_from {high}", option="drop_from")


def _count_problems(layout: TokenLayout) -> Iterator[OptionError]:
    """Yield numbers of books that contradict each other."""
    strides = layout.strides
    if strides and (strides[-1] != 1 or any(strides[0] % stride for stride in strides)):
        yield OptionError(f"strides {list(strides)} are not whole parts of the first that end with 1", option="strides")
    elif layout.form == "array" and layout.level_strides:
        yield OptionError("'strides' are of levels that have rates of their own; an array has one", option="strides")
    count = layout.book_count
    if count is None:
        return
    if count > MAX_BOOKS:
        option = next(name for name in _COUNTING if is_given(layout, name))
        yield OptionError(f"the layout has {count} books, more than any codec", option=option)
        return
    given = {"delays": layout.delays, "strides": strides, "size": layout.size if isinstance(layout.size, tuple) else ()}
    for name, values in given.items():
        if values and len(values) != count:
            yield OptionError(f"{name} has {len(values)} numbers for {count} books", option=name)
    if layout.codebooks not in (None, count):
        yield OptionError(f"codebooks is {layout.codebooks}, but the layout has {count}", option="codebooks")
    for name in MARKS:
        mark = getattr(layout, name)
        if mark is not None and mark.book is not None and mark.book >= count:
            yield OptionError(f"{name} names book {mark.book}, but books go from 0 to {count - 1}", option=name)
