"""``tonearm layouts``: the columns of the table of layouts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tonearm.recipes.listing import Listing
from tonearm.recipes.tokens.layout import TokenLayout

UNKNOWN = "any"
"""Text for a figure that a layout leaves open."""

_NUMBER = r"(\d+)"
"""Group of the number in most patterns, which is shown as N."""


def layout_figures(layout: TokenLayout) -> tuple[str, ...]:
    """Return the figures of a layout for the columns of the table after the name."""
    rate, samples = layout.sample_rate, layout.samples_per_frame
    return (
        layout.codec or UNKNOWN,
        str(rate or UNKNOWN),
        f"{rate / samples:.6g}" if rate and samples else UNKNOWN,
        str(layout.book_count or UNKNOWN),
        ", ".join(map(str, dict.fromkeys(layout.sizes_of(1)))) or UNKNOWN,
        layout.form,
        shown_raw(layout),
    )


def shown_raw(layout: TokenLayout) -> str:
    r"""Return what a model writes in a layout, in a few words.

    Examples
    --------
    >>> shown_raw(TokenLayout(pattern=r"<\|s_(\d+)\|>", offset=10))
    '<|s_N|>, N from 10'
    >>> shown_raw(TokenLayout(interleave=(0, 1, 1), start_after=7, end_at=(8,), offset=20, per_position=64))
    '3 ids a frame from 20, 64 a position, after 7, up to 8'
    >>> shown_raw(TokenLayout(axes=("batch", "book", "frame"), columns=(1, 0), delays=(0, 1, 2)))
    'batch × book × frame, delays 0 … 2, 1 step in front'
    """
    forms = {"file": _shown_file, "text": _shown_text, "ragged": _shown_levels, "flat": _shown_ids}
    return ", ".join(filter(None, forms.get(layout.form, _shown_array)(layout)))


def _shown_file(layout: TokenLayout) -> Sequence[str]:
    return (f".{layout.file} file",)


def _shown_text(layout: TokenLayout) -> Sequence[str]:
    """Return the marks of a text, and what is added to their numbers."""
    marks = " ".join(re.sub(r"\\(.)", r"\1", one.replace(_NUMBER, "N")) for one in layout.patterns)
    count = f"{len(layout.interleave)} a frame" if len(layout.interleave) > 1 else ""
    return (
        marks,
        count,
        f"N from {layout.offset}" if layout.offset else "",
        f"{layout.per_position} a position" if layout.per_position else "",
    )


def _shown_levels(layout: TokenLayout) -> Sequence[str]:
    """Return the ratio of the lengths of levels."""
    strides = layout.level_strides
    return ("an array a level", f"lengths {' : '.join(str(strides[0] // one) for one in strides)}" if strides else "")


def _shown_ids(layout: TokenLayout) -> Sequence[str]:
    """Return how flat ids stand in a sequence, and which ones are codes."""
    count = len(layout.interleave)
    first = f"{count} id{'s' * (count > 1)} a frame" + (f" from {layout.offset}" if layout.offset else "")
    ends = [str(one) for one in layout.end_at]
    sections = layout.sections
    return (
        first,
        f"{layout.per_position} a position" if layout.per_position else "",
        f"{layout.streams} tracks in turn" if layout.streams > 1 else "",
        f"after {layout.start_after}" if layout.start_after is not None else "",
        f"up to {', '.join(ends) if len(ends) < 4 else f'{ends[0]} … {ends[-1]}'}" if ends else "",
        f"between {sections.start} and {sections.end}" if sections else "",
    )


def _shown_array(layout: TokenLayout) -> Sequence[str]:
    """Return the axes of an array, its delays, and what stands beside the codes."""
    delays, (head, tail) = layout.delays, layout.columns
    steady = delays == tuple(range(delays[0], delays[0] + len(delays))) if delays else False
    shown = f"{delays[0]} … {delays[-1]}" if steady and len(delays) > 2 else " ".join(map(str, delays))
    return (
        " × ".join(layout.raw_axes),
        f"rows {layout.rows[0]} … {layout.rows[1] - 1}" if layout.rows else "",
        f"delays {shown}" if delays else "",
        f"{head} step{'s' * (head > 1)} in front" if head else "",
        f"{tail} step{'s' * (tail > 1)} behind" if tail else "",
    )


LISTING = Listing(
    TokenLayout,
    ("name", "codec", "Hz", "frames/s", "books", "size", "form", "model writes"),
    (0, 1, 6, 7),
    layout_figures,
    refusals="cannot be decoded by their codes alone",
    shows_defaults=False,
)
"""Listing of the layouts."""
