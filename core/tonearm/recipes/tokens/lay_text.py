"""Text with the marks of codec tokens, made of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"\((\\d|\[0-9\])\+\)")
_PLAIN = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*")


def mark_of(pattern: str) -> tuple[str, str] | None:
    r"""Return the text before and behind the number of a mark; None if the pattern stands for more than one text.

    Examples
    --------
    >>> mark_of(r"<\|s_(\d+)\|>")
    ('<|s_', '|>')
    """
    found = _NUMBER.search(pattern)
    if found is None:
        return None
    before, behind = pattern[: found.start()], pattern[found.end() :]
    if not (_PLAIN.fullmatch(before) and _PLAIN.fullmatch(behind)):
        return None
    return re.sub(r"\\(.)", r"\1", before), re.sub(r"\\(.)", r"\1", behind)


def text_of(rows: Sequence[Iterable[int]], patterns: Sequence[str]) -> str:
    """Return a text with one mark for each number: of each frame, those of all books in turn.

    Parameters
    ----------
    rows
        Numbers of each book.
    patterns
        Pattern of the marks of each book, for which `mark_of` is not None.
    """
    marks = [mark_of(pattern) or ("", "") for pattern in patterns]
    return "".join(
        f"{before}{number}{behind}"
        for frame in zip(*rows, strict=True)
        for number, (before, behind) in zip(frame, marks, strict=True)
    )
