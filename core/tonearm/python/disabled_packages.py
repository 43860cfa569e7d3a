"""Warnings about packages whose plugins are disabled, for every function that uses the installed plugins."""

from __future__ import annotations

from tonearm.errors.warning import warn
from tonearm.plugins.registry import Registry

_told: set[str] = set()
"""Warnings that have been given: one in the life of a process is enough, as each call of a loop would repeat them."""


def warn_of_disabled_packages(registry: Registry) -> None:
    """Give a warning for each package of a registry that is disabled, unless it has been given before."""
    for text in map(str, registry.problems):
        if text not in _told:
            _told.add(text)
            warn(text)
