"""Hints about patterns of sources that match nothing, because they are written for a shell or another system."""

from __future__ import annotations

import re


def pattern_hint(pattern: str) -> str:
    """Return what to write in place of a part of a pattern; an empty text if nothing stands out.

    Examples
    --------
    >>> pattern_hint("~/mels/*.npy")
    'write ${HOME} for ~, which shells alone replace'
    """
    if pattern.startswith("~"):
        return "write ${HOME} for ~, which shells alone replace"
    if found := re.search(r"\$([A-Za-z_]\w*)", pattern):
        return f"write ${{{found[1]}}} for {found[0]}"
    if "\\" in pattern:
        return "write / for \\"
    if re.search(r"\{[^{}]*,[^{}]*\}", pattern):
        return "give a list of patterns for the words in { }"
    if pattern != pattern.strip():
        return "leave out the space at its end" if pattern[:1].strip() else "leave out the space at its start"
    return ""
