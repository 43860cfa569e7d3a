"""What goes to those who prepare outputs, and what comes back."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

ItemId: TypeAlias = tuple[str, int]
"""Key and index of an item within its source."""


class Task(Struct, frozen=True):
    """One source to convert.

    Parameters
    ----------
    number
        Its place in the run.
    name
        What people call it.
    path
        Where it is.
    folder
        Its folder below the fixed part of the pattern that found it.
    skip
        Items that are done already.
    """

    number: int
    name: str
    path: str
    folder: str = "."
    skip: frozenset[ItemId] = frozenset()
