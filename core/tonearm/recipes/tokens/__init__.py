"""Codec tokens: the layouts in which model families write them, and ``kind: tokens``."""

from __future__ import annotations

from tonearm.recipes.tokens.layout import TokenLayout

__all__ = ["TokenLayout"]
