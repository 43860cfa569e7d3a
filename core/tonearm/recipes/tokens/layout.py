"""The layout: the exact way in which a model family writes codec tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from tonearm.recipes.catalogue import Named
from tonearm.signals import MAX_SAMPLE_RATE

PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]


class Sections(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Stretches of a sequence between two ids, which are joined in time.

    Parameters
    ----------
    start, end
        Ids before and behind each section.
    skip_first_id
        Id that goes where it stands first in a section; None if there is none.
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
    """

    all: int | None = None
    book: Count | None = None
    id: int | None = None


class TokenLayout(Named, frozen=True, kw_only=True):
    """A layout of codec tokens: how a model family writes the codes of its codec.

    Reading undoes the layout, field by field in the order in which they stand here.
    """

    hook: ClassVar[str] = "tonearm_layouts"
    noun: ClassVar[str] = "layout"

    # Text.
    pattern: str = ""
    books: tuple[str, ...] = ()
    streams_text: Mapping[str, str] = {}
    fixed: Mapping[str, int] = {}
    # Flat ids.
    sections: Sections | None = None
    start_after: int | None = None
    which: Literal["last", "first"] = "last"
    end_at: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()
    drop_from: int | None = None
    drop_below: int | None = None
    streams: PositiveInt = 1
    interleave: tuple[Count, ...] = ()
    incomplete: Literal["drop", "error"] = "error"
    offset: int = 0
    per_position: Count = 0
    # Arrays.
    axes: tuple[str, ...] = ()
    stacked: PositiveInt | None = None
    rows: tuple[int, int] | None = None
    columns: tuple[Count, Count] = (0, 0)
    lead_rows: BookMark | None = None
    lead_delayed: BookMark | None = None
    end_delayed: BookMark | None = None
    delays: tuple[Count, ...] = ()
    end: BookMark | None = None
    last_not: BookMark | None = None
    trim: tuple[Count, Count] = (0, 0)
    pad: int | None = None
    offset0: int = 0
    # All.
    size: PositiveInt | tuple[PositiveInt, ...] | None = None
    invalid: Literal["error", "zero", "clip", "drop_frame", "keep"] = "error"
    ragged: bool = False
    file: Literal["", "dac", "ecdc"] = ""
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
