"""Causes and tracebacks of exceptions: which frames are tonearm's own, and what ``--debug`` shows.

``--debug`` also shows the tracebacks of errors that do not end a command.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

DEBUG_VARIABLE = "TONEARM_DEBUG"
"""Environment variable that keeps tonearm's own frames in tracebacks, unless it is empty or 0."""

_OWN = frozenset(("tonearm", "tonearm_plugins"))
"""Packages whose frames users need not see."""

_SHELLS = frozenset(("IPython", "code", "ipykernel"))
"""Packages of interactive shells, whose frames a traceback begins with."""

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


def keeps_own() -> bool:
    """Return whether tracebacks keep tonearm's own frames."""
    return are_shown() or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def is_own(frame: FrameType) -> bool:
    """Return whether a frame is one of tonearm or of its own plugins."""
    return _package(frame) in _OWN


def without_own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without tonearm's own frames, and without those of the shell that it begins with."""
    while trace is not None and _package(trace.tb_frame) in _SHELLS:
        trace = trace.tb_next
    links = [link for link in _links(trace) if not is_own(link.tb_frame)]
    kept = None
    for link in reversed(links):
        kept = TracebackType(kept, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return kept


def trimmed(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback of a plugin's exception from the plugin on; all of it if no plugin is on it."""
    return next((link for link in _links(trace) if _package(link.tb_frame) != "tonearm"), trace)


def notebook_lines(error: BaseException) -> list[str]:
    """Return the lines of an error's traceback for a notebook, in the way that its shell writes tracebacks."""
    trace = error.__traceback__
    if not keeps_own():
        trace = without_own(trace)
    try:
        shell = sys.modules["IPython"].get_ipython()
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    except Exception:  # another shell, or one that writes them in another way
        import traceback

        return traceback.format_exception(type(error), error.with_traceback(trace), trace)
    return lines


def _links(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _package(frame: FrameType) -> str:
    """Return the top-level package of a frame's module."""
    name = frame.f_globals.get("__name__")
    return name.partition(".")[0] if isinstance(name, str) else ""
