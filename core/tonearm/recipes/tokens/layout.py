"""The layout: the exact way in which a model family writes codec tokens."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from tonearm.errors import OptionError
from tonearm.recipes.catalogue import Named
from tonearm.recipes.tokens.layout_checks import axis_names, check_layout
from tonearm.signals import MAX_SAMPLE_RATE, Codebooks

PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]

Form = Literal["text", "flat", "array", "ragged", "file"]
"""Form of raw tokens: text, flat ids, one array, an array a level, or a file format of a codec's own."""


OWN_DECODER = "decode them by the model's own code, and save the waveform that it gives"
"""Advice for tokens in a layout whose codes alone give no sound."""


class Sections(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Stretches of a sequence between two ids, which are joined in time.

    Parameters
    ----------
    start, end
        Ids before and behind each section.
    skip_first_id
        Id that is left out where it stands first in a section; None if there is none.
    """

    start: int
    end: int
    skip_first_id: int | None = None


class BookMark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mark in frames: an id that one book holds, or that all books hold.

    Parameters
    ----------
    all
        Id that all books hold; None if one book alone tells.
    book, id
        Book that tells, and the id that it holds; None if all books hold one.

    Raises
    ------
    OptionError
        If it is neither of the two, or both.
    """

    all: int | None = None
    book: Count | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        if (self.book is None) != (self.id is None) or (self.all is None) == (self.book is None):
            raise OptionError("a mark is {all: ID} or {book: BOOK, id: ID}", option="all")

    @property
    def value(self) -> int:
        """Id that marks the frame."""
        return self.all if self.all is not None else self.id or 0


class TokenLayout(Named, frozen=True, kw_only=True):
    """A layout of codec tokens: how a model family writes the codes of its codec.

    Reading undoes the layout, field by field in the order in which they stand here.

    Raises
    ------
    OptionError
        If fields contradict each other, or describe no form at all.
    """

    hook: ClassVar[str] = "tonearm_layouts"
    noun: ClassVar[str] = "layout"

    # Text.
    pattern: Annotated[
        str,
        Meta(description="Regular expression of a mark in text, whose group 1 is the number: '<custom_token_(\\d+)>'."),
    ] = ""
    books: Annotated[
        tuple[str, ...],
        Meta(description="Regular expression of the marks of each book in text; an unfinished last frame is left out."),
    ] = ()
    streams_text: Annotated[
        Mapping[str, str], Meta(description="Regular expression of the marks of each stream in text, by its name.")
    ] = {}
    fixed: Annotated[
        Mapping[str, Count],
        Meta(description="Number of codes of a stream by its name: longer ones are cut, shorter ones filled with 0."),
    ] = {}
    # Flat ids.
    sections: Annotated[
        Sections | None,
        Meta(description="Ids before and behind each section of the sequence; sections are joined in time."),
    ] = None
    start_after: Annotated[
        int | None, Meta(description="Id behind which the tokens start. A sequence without it starts at once.")
    ] = None
    which: Annotated[
        Literal["last", "first"], Meta(description="Place of start_after that counts if there are several.")
    ] = "last"
    end_at: Annotated[
        tuple[int, ...], Meta(description="Ids that end the tokens: the first of any of them ends the sequence.")
    ] = ()
    drop: Annotated[tuple[int, ...], Meta(description="Ids that are left out wherever they stand.")] = ()
    drop_from: Annotated[int | None, Meta(description="Id from which on all greater ones are left out, too.")] = None
    drop_below: Annotated[int | None, Meta(description="Id below which all are left out.")] = None
    streams: Annotated[
        PositiveInt,
        Meta(description="Number of tracks whose ids stand in turn. Each becomes a channel; whole turns are read."),
    ] = 1
    interleave: Annotated[
        tuple[Count, ...],
        Meta(description="Book or level of each position of a frame, such as [0, 1, 2, 2, 1, 2, 2]."),
    ] = ()
    incomplete: Annotated[
        Literal["drop", "error"], Meta(description="Treatment of a last frame that lacks tokens: drop it, or fail.")
    ] = "error"
    offset: Annotated[int, Meta(description="Id of code 0 at the first position of a frame.")] = 0
    per_position: Annotated[
        Count, Meta(description="Number that is added to the offset for each position of a frame, such as 4096.")
    ] = 0
    # Arrays.
    axes: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the array's axes in order: batch, channel, segment, book, frame. (batch book) is one"
            " axis with all books of the first element before those of the second."
        ),
    ] = ()
    channels: Annotated[
        PositiveInt | None,
        Meta(description="Number of channels, where an axis such as (batch book channel) does not tell."),
    ] = None
    stacked: Annotated[
        PositiveInt | None,
        Meta(description="Number of books that stand under one another in place of a batch axis: axes (batch book)."),
    ] = None
    rows: Annotated[
        tuple[Count, PositiveInt] | None,
        Meta(description="Rows of the book axis that hold codes, as the first one and the one after the last."),
    ] = None
    columns: Annotated[
        tuple[Count, Count], Meta(description="Steps left out at the start and at the end, before delays are undone.")
    ] = (0, 0)
    lead_rows: Annotated[
        BookMark | None, Meta(description="Mark of leading steps to leave out, such as {book: 0, id: 1026}.")
    ] = None
    lead_delayed: Annotated[
        BookMark | None, Meta(description="Mark of the step behind which the tokens start, delays and all: its last.")
    ] = None
    end_delayed: Annotated[
        BookMark | None, Meta(description="Mark of the step before which the tokens end, delays and all: its first.")
    ] = None
    delays: Annotated[
        tuple[Count, ...], Meta(description="Steps by which each book comes later, such as [0, 1, 2, 3].")
    ] = ()
    end: Annotated[
        BookMark | None, Meta(description="Mark of the first frame that is no longer sound, such as {all: 0}.")
    ] = None
    last_not: Annotated[
        BookMark | None, Meta(description="Mark of frames behind the sound: the last frame without it is the end.")
    ] = None
    trim: Annotated[
        tuple[Count, Count], Meta(description="Frames left out at the start and at the end, after delays are undone.")
    ] = (0, 0)
    pad: Annotated[
        int | None, Meta(description="Id that pads elements of a batch: it becomes 0, and the sound ends before it.")
    ] = None
    offset0: Annotated[int, Meta(description="Id of code 0 in the first book alone.")] = 0
    # All.
    size: Annotated[
        PositiveInt | tuple[PositiveInt, ...] | None,
        Meta(description="Number of codes of a book: one number, or one a book or level."),
    ] = None
    invalid: Annotated[
        Literal["error", "zero", "clip", "drop_frame", "keep"],
        Meta(
            description="Treatment of codes out of range: error fails, zero takes 0, clip takes the greatest code in"
            " place of greater ones, drop_frame leaves the frame out, keep leaves them to the codec."
        ),
    ] = "error"
    ragged: Annotated[bool, Meta(description="Whether each level is an array of its own, coarse first.")] = False
    file: Annotated[Literal["", "dac", "ecdc"], Meta(description="File format of the codec's own program.")] = ""
    fill: Annotated[
        int | None, Meta(description="Id to write at places without codes, as before the start of a delayed book.")
    ] = None
    # What is known of the codec.
    codec: Annotated[str, Meta(description="Codec whose decoder takes the codes.")] = ""
    sample_rate: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_SAMPLE_RATE)] | None, Meta(description="Sample rate in Hz of the sound.")
    ] = None
    samples_per_frame: Annotated[
        PositiveInt | None, Meta(description="Samples of a frame; of the coarsest level where levels have rates.")
    ] = None
    strides: Annotated[
        tuple[PositiveInt, ...],
        Meta(description="Frames of the finest level that a frame of each level spans, coarse first."),
    ] = ()
    codebooks: Annotated[PositiveInt | None, Meta(description="Number of books, if all models have the same.")] = None
    weights: Annotated[str, Meta(description="Where the weights of the codec's decoder come from.")] = ""
    other_form: Annotated[
        str, Meta(description="Layout of the same tokens as text if this one is of ids, and as ids if it is of text.")
    ] = ""
    refuses: Annotated[str, Meta(description="Reason why the codes alone give no sound; empty if they do.")] = ""

    def __post_init__(self) -> None:
        check_layout(self)

    def __hash__(self) -> int:
        """Return a hash that equal layouts share; fields that are mappings have none of their own."""
        return hash((type(self), self.name, self.patterns, self.interleave, self.axes, self.delays, self.offset))

    @property
    def form(self) -> Form:
        """Form of the raw tokens."""
        if self.file:
            return "file"
        if self.ragged:
            return "ragged"
        if self.patterns:
            return "text"
        return "array" if self.axes or self.stacked else "flat"

    @property
    def patterns(self) -> tuple[str, ...]:
        """Regular expressions of all marks in text; none of other forms."""
        return (*filter(None, (self.pattern,)), *self.books, *self.streams_text.values())

    @property
    def raw_axes(self) -> tuple[str, ...]:
        """Names of the axes of an array of raw tokens, folded ones as they are written."""
        if self.stacked:
            return ("(batch book)", "frame")
        if self.axes:
            return self.axes
        return ("batch", "frame") if self.ragged else ("batch", "token")

    @property
    def positions(self) -> tuple[int, ...]:
        """Book or level of each position of a frame; of text without ``interleave``, of one book."""
        return self.interleave or (0,)

    @functools.cached_property
    def book_count(self) -> int | None:
        """Number of books or levels; None if the layout does not determine it."""
        if self.form in ("text", "flat") and not self.streams_text:
            return len(self.books) or max(self.positions) + 1
        if self.rows:
            return self.rows[1] - self.rows[0]
        counts = (self.stacked, len(self.delays), len(self.level_strides), self.codebooks)
        found = next((count for count in counts if count), None)
        if found is None and isinstance(self.size, tuple):
            return len(self.size)
        return 1 if found is None and self.axes and "book" not in axis_names(self.axes) else found

    @functools.cached_property
    def level_strides(self) -> tuple[int, ...]:
        """Frames of the finest level that a frame of each level spans; empty if all books have one rate."""
        counts = [self.positions.count(level) for level in range(max(self.positions) + 1)]
        if len(set(counts)) == 1:
            return self.strides if set(self.strides) != {1} else ()
        return tuple(max(counts) // count for count in counts)

    @functools.cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each book; empty if the layout does not determine them."""
        return self.sizes_of(self.book_count or 0)

    def sizes_of(self, books: int) -> tuple[int, ...]:
        """Return the number of codes of each of so many books; empty if the layout does not determine them."""
        if isinstance(self.size, tuple):
            return self.size
        return (self.size,) * books if self.size else ()

    @property
    def largest_size(self) -> int | None:
        """Number of codes of the largest book; None if the layout does not determine it."""
        return max(self.size) if isinstance(self.size, tuple) else self.size

    @property
    def known_codebooks(self) -> Codebooks:
        """Codebooks of the codec, as far as the layout alone tells."""
        return Codebooks(
            sizes=self.sizes,
            sample_rate=self.sample_rate,
            samples_per_frame=self.samples_per_frame,
            strides=self.level_strides,
            size=self.size if isinstance(self.size, int) and not self.sizes else None,
        )

    @property
    def refusal(self) -> str:
        """Reason why tokens in this layout cannot become sound; empty if they can."""
        if self.refuses or not self.streams_text:
            return self.refuses
        return f"its decoder needs the streams {' and '.join(self.streams_text)}, and tokens hold one"

    @property
    def refusal_message(self) -> str:
        """Message of the error for tokens in this layout that are to become sound."""
        return f"codec tokens in the layout {self.label} cannot become sound: {self.refusal}"

    @property
    def is_invertible(self) -> bool:
        """Whether codes can be laid out again as the model writes them."""
        return not self.obstacle

    @functools.cached_property
    def obstacle(self) -> str:
        """Reason why codes cannot be laid out again; empty if they can."""
        from tonearm.recipes.tokens.lay_text import mark_of  # not at the top: only writing needs it

        if self.file:
            return f"a .{self.file} file is written by the codec's own program"
        if self.streams_text:
            return "it has several streams"
        if self.rows:
            return "rows beside the codes, such as those of text, are unknown (rows)"
        for pattern in self.patterns:
            if mark_of(pattern) is None:
                return f"the pattern {pattern} stands for more than one text"
        if None in self.filling:
            base = self.name or "NAME"
            return f"the id at places without codes is unknown, unless it is given: {{base: {base}, fill: ID}}"
        return ""

    @functools.cached_property
    def filling(self) -> tuple[int | None, int | None]:
        """Ids at places without codes before and behind the codes of a written array; None if needed but unknown."""
        head = self.columns[0] or self.trim[0] or any(self.delays)
        tail = self.columns[1] or self.trim[1] or len(set(self.delays)) > 1
        lead, end = self.lead_delayed or self.lead_rows, self.end_delayed
        before = lead.value if lead else self.fill
        behind = end.value if end else self.fill
        return (before if head else before or 0, behind if tail else behind or 0)
