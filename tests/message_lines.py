"""How many lines messages take: the text of each error and problem is noted as it is formed, in whatever test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tonearm.errors import Problem, TonearmError

MOST = 3
"""Lines that one message may take: what is wrong, what to do, and the copy that a run has kept."""

LONG: list[str] = []
"""Messages of the current test that take more lines."""


def watch() -> None:
    """Note messages of too many lines from now on."""
    for cls in (Problem, TonearmError):
        cls.__str__ = _noted(cls.__str__)


def _noted(form: Callable[[Any], str]) -> Callable[[Any], str]:
    def noted(self: Any) -> str:
        text = form(self)
        if text.count("\n") >= MOST and not hasattr(self, "problems"):  # each problem of several is noted alone
            LONG.append(text)
        return text

    return noted
