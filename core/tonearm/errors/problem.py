"""A problem: one thing that is wrong, with its place and its remedies."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from tonearm.errors.place import Place
from tonearm.errors.remedies import Advice, Remedy
from tonearm.errors.text import escape_controls, safe_message

NOWHERE = Place()


class Problem(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """One thing that is wrong, with its place.

    Parameters
    ----------
    code
        Stable and short: ``unknown-option``. Scripts may rely on it.
    message
        What is wrong, in the user's words, on one line.
    remedies
        What to do about it; empty if the message says it already.
    place
        Stage of the pipeline, and the form that the pipeline was given in.
    file, line, column
        Place in a file. Lines and columns count from 1; None where there is no file, as for a mapping from Python.
    """

    code: str
    message: str
    remedies: tuple[Remedy, ...] = ()
    place: Place = NOWHERE
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __post_init__(self) -> None:
        """Escape what a terminal obeys: the message may quote what anybody has named."""
        force_setattr(self, "message", safe_message(self.message))

    @property
    def hint(self) -> str:
        """Remedies as one line of text, in the form that the pipeline was given in."""
        return hint_of(self.remedies, self.place)

    def __str__(self) -> str:
        """Return the compiler's form: ``file:line:column: code: message``, the hint on a line of its own."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{escape_controls(place)}: {self.code}: {self.message}" if place else f"{self.code}: {self.message}"
        hint = self.hint
        return f"{text}\n    hint: {hint}" if hint else text

    def at(self, *, file: str | None, line: int | None, column: int | None) -> Problem:
        """Return this problem with a place in a file, unless it has one."""
        return self if self.line is not None else replace(self, file=file, line=line, column=column)


def advise(text: str) -> tuple[Remedy, ...]:
    """Return advice in prose as remedies: none if the text is empty."""
    return (Advice(text),) if text else ()


def hint_of(remedies: tuple[Remedy, ...], place: Place) -> str:
    """Return remedies as one line of text."""
    return safe_message("; ".join(filter(None, (remedy.text(place) for remedy in remedies))))
