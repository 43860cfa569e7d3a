"""Warnings for Python: each is a `TonearmWarning` at the line of the user's that has called tonearm."""

from __future__ import annotations

import sys
import warnings

from tonearm.errors.tracebacks import is_own


class TonearmWarning(UserWarning):
    """Warning about a problem that does not stop anything, such as a package whose plugins are disabled."""

    __module__ = "tonearm"


def warn(message: str, category: type[Warning] = TonearmWarning) -> None:
    """Give a warning, which names the line from which tonearm was called, or where a stream was collected as garbage.

    Call it from a function that the user's code calls, not from one that a plugin calls.

    Parameters
    ----------
    message
        What the user should know. It names the source or the item that it is about.
    category
        Class of the warning.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - a level of the stack is no help: tonearm's own frames vary in number
    while (is_own(frame) or frame.f_globals.get("__name__") == "weakref") and frame.f_back is not None:
        frame = frame.f_back
    module = frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=module.get("__name__"),
        registry=module.setdefault("__warningregistry__", {}),
    )
