"""Failures of libraries on one line, without their stacks and advice, and errors of options as those of items."""

from __future__ import annotations

from tonearm.api import ItemError, OptionError

LONGEST = 200
"""Number of letters of a reason."""


def failure_reason(error: BaseException, *, line: int = 0) -> str:
    r"""Return the type of an exception and one line of its text, without the advice that follows.

    Parameters
    ----------
    error
        Exception.
    line
        Number of the line that tells the reason: the first, or -1 for the last, where a stack comes before it.

    Examples
    --------
    >>> failure_reason(ValueError("it has 3 axes. See the docs.\n\nMore."))
    'ValueError: it has 3 axes'
    """
    lines = [text.strip() for text in str(error).splitlines() if text.strip()]
    text = lines[line].partition(". ")[0].rstrip(".") if lines else ""
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def as_item_error(error: OptionError) -> ItemError:
    """Return the error of an option as that of an item."""
    return ItemError(error.message, code=error.code, remedies=error.remedies)
