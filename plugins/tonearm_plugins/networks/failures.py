"""Why a library failed, on one line: their exceptions hold whole stacks and advice of their own."""

from __future__ import annotations

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
