"""Names that packages register for plugins and recipes: valid names, and the package that a name refers to.

Built-in names win. Two other packages that register the same name are told apart as ``origin/name``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

BUILTIN = "builtin"
"""Origin of everything that tonearm itself registers."""

BROKEN_HINT = "update or uninstall the package that it comes from"
"""Hint for errors in what a package registers."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class HasOrigin(Protocol):
    """Anything that a package registers under a name."""

    @property
    def origin(self) -> str:
        """Name of the package's entry point."""


R = TypeVar("R", bound=HasOrigin)


def check_name(name: object, what: str) -> str:
    """Return a name for a plugin or a recipe.

    Raises
    ------
    ValueError
        If the name is invalid.
    """
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ValueError(f"not a valid {what} name: use lower-case letters, digits, single hyphens")
    return name


def preferred(candidates: Sequence[R]) -> R | None:
    """Return what a bare name refers to: the built-in candidate, or the only one; None if the name is ambiguous."""
    builtin = [candidate for candidate in candidates if candidate.origin == BUILTIN]
    return builtin[0] if builtin else (candidates[0] if len(candidates) == 1 else None)
