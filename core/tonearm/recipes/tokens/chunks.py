"""Layouts in streams: which of them can be undone chunk by chunk, and what the others need the whole sequence for."""

from __future__ import annotations

from tonearm.errors import ItemError, one_line
from tonearm.recipes.tokens.layout import TokenLayout

_OF_THE_WHOLE = ("lead_rows", "lead_delayed", "end_delayed", "delays", "end", "last_not", "columns", "trim")
"""Fields of arrays that depend on where the sequence begins and ends, or join frames that lie apart."""

_FORMS = {"flat": "ids of its frames follow one another", "text": "it is text", "ragged": "it has levels"}


def whole_reason(layout: TokenLayout) -> str:
    """Return why chunks in a layout cannot be undone one by one; empty if they can, as plain frames can.

    Examples
    --------
    >>> whole_reason(TokenLayout(axes=("book", "frame"), delays=(0, 1, 2)))
    'it has delays'
    >>> whole_reason(TokenLayout(axes=("frame", "book"), size=2048))
    ''
    """
    if reason := _FORMS.get(layout.form, ""):
        return reason
    given = {name: getattr(layout, name) for name in _OF_THE_WHOLE}
    found = [name for name, value in given.items() if (any(value) if isinstance(value, tuple) else value is not None)]
    return f"it has {' and '.join(found)}" if found else ""


def refuse_chunk(layout: TokenLayout | None) -> None:
    """Raise `ItemError` if an array in a layout cannot be a chunk of a stream.

    Parameters
    ----------
    layout
        Layout; None if the chunks are codes with named axes.
    """
    if layout is None or not (reason := whole_reason(layout)):
        return
    hint = "collect all of them, and save them whole"
    if layout.form in ("flat", "text", "ragged") and layout.name:
        hint = f'write tonearm.to_tokens(chunk, layout="{layout.name}") of whole frames, or {hint}'
    raise ItemError(
        f"tokens in the layout {one_line(layout.label)} are undone as a whole, because {reason}",
        code="needs-whole",
        hint=hint,
    )
