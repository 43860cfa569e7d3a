"""What led to an exception; and the tracebacks that ``--debug`` shows for errors that do not end a command."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

_shown: set[str] | None = None
"""Tracebacks that were printed; None outside `shown`, where none are."""


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Print tracebacks while the context is open."""
    global _shown
    _shown = set()
    try:
        yield
    finally:
        _shown = None


def are_shown() -> bool:
    """Return whether tracebacks are printed."""
    return _shown is not None


def show(error: BaseException) -> None:
    """Print the traceback of an exception on stderr within `shown`, unless the same one has been printed."""
    if _shown is None:
        return
    import traceback

    try:
        text = "".join(traceback.format_exception(error))
    except Exception as failed:  # the exception cannot be printed, or a library has replaced what formats it
        text = f"{type(error).__name__}, whose traceback cannot be printed: {type(failed).__name__}\n"
    if text not in _shown:
        _shown.add(text)
        try:
            print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - for developers alone
        except (OSError, ValueError):  # nobody reads it
            return


def causes(error: BaseException | None, *, suppressed: bool = True) -> Iterator[BaseException]:
    """Yield an exception and those that have led to it, each once: a plugin can make them lead in a circle.

    Parameters
    ----------
    error
        Exception, or None.
    suppressed
        Whether those count that ``raise … from None`` hides.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        hidden = error.__suppress_context__ and not suppressed
        earlier = error.__cause__ or (None if hidden else error.__context__)
        yield error
        error = earlier
