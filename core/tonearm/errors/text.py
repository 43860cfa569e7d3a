"""Text for messages: one printable line, and the nearest known word."""

from __future__ import annotations

from collections.abc import Iterable


def one_line(text: object, limit: int = 300) -> str:
    """Return any text as one printable line: control characters escaped, length bounded."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest of the known words, or an empty text."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
