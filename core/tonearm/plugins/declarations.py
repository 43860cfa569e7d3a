"""Declarations of a plugin class: attributes that the host reads without asking, checked when the class is loaded."""

from __future__ import annotations

from typing import Any

from tonearm.errors.text import safe_repr

DTYPES = ("real", "complex", "stored")
"""Types of values that a kind of array may ask for."""


def check_declarations(plugin: type[Any]) -> None:
    """Raise `TypeError` if an attribute of a plugin class has a wrong type."""
    suffixes = getattr(plugin, "suffixes", ())
    if not (isinstance(suffixes, tuple) and all(map(_is_suffix, suffixes))):
        raise TypeError(f"suffixes is {safe_repr(suffixes)}, not a tuple of texts like '.wav'")
    revision = getattr(plugin, "revision", None)
    if revision is not None and type(revision) is not int:
        raise TypeError(f"revision is {safe_repr(revision)}, not a whole number")
    holds = getattr(plugin, "holds_interpreter", False)
    if type(holds) is not bool:
        raise TypeError(f"holds_interpreter is {safe_repr(holds)}, not True or False")
    reads = getattr(plugin, "reads", "path")
    if reads not in ("path", "content"):
        raise TypeError(f"reads is {safe_repr(reads)}, not 'path' or 'content'")
    if getattr(plugin, "role", "") == "kind":
        axes, optional = getattr(plugin, "axes", None), getattr(plugin, "optional_axes", None)
        for name, value in (("axes", axes), ("optional_axes", optional)):
            if not (isinstance(value, tuple) and all(isinstance(axis, str) for axis in value)):
                raise TypeError(f"{name} is {safe_repr(value)}, not a tuple of names like ('time',)")
        if plugin.dtype not in DTYPES:
            raise TypeError(f"dtype is {safe_repr(plugin.dtype)}, not one of {', '.join(DTYPES)}")


def _is_suffix(suffix: object) -> bool:
    return isinstance(suffix, str) and suffix.startswith(".") and suffix == suffix.lower()
