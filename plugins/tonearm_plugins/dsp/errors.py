"""Errors that signal processing raises."""

from __future__ import annotations


class ShapeError(ValueError):
    """An array has the wrong rank, type or size for an operation."""


class NotInvertibleError(ValueError):
    """The window and the hop leave samples that no frame covers: they violate the NOLA condition."""


class NotFiniteError(ValueError):
    """A value is NaN or infinite, where the caller has asked for finite ones."""


class EngineError(ValueError):
    """The engine asked for by name does not exist, or cannot do this work."""
