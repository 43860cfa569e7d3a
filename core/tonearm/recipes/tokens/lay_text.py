"""Text with the marks of codec tokens, made of numbers."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\((\\d|\[0-9\])\+\)")
_PLAIN = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*")


def mark_of(pattern: str) -> tuple[str, str] | None:
    """Return the text before and behind the number of a mark; None if the pattern stands for more than one text.

    Examples
    --------
    >>> mark_of(r"<\\|s_(\\d+)\\|>")
    ('<|s_', '|>')
    """
    found = _NUMBER.search(pattern)
    if found is None:
        return None
    before, behind = pattern[: found.start()], pattern[found.end() :]
    if not (_PLAIN.fullmatch(before) and _PLAIN.fullmatch(behind)):
        return None
    return re.sub(r"\\(.)", r"\1", before), re.sub(r"\\(.)", r"\1", behind)
