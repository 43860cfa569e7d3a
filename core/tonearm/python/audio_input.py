"""Types for annotations of what the functions for a model's code take."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from tonearm.signals import Signal


class SupportsArray(Protocol):
    """An array, or a tensor that NumPy can read, as those of torch and JAX are."""

    def __array__(self) -> Any:
        """Return the array."""


class SupportsDLPack(Protocol):
    """A tensor that lends its memory by DLPack, as those of CuPy and MLX do."""

    def __dlpack__(self) -> Any:
        """Return the capsule."""


class WritableFile(Protocol):
    """An open file that takes bytes."""

    def write(self, content: bytes, /) -> Any:
        """Write bytes, and return how many were written."""


class ReadableFile(Protocol):
    """An open file that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


Numbers: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | Sequence[Sequence[Sequence[float]]]
Sound: TypeAlias = SupportsArray | SupportsDLPack | Numbers
Rows: TypeAlias = Sequence[Sound]
AudioInput: TypeAlias = (
    Sound | Rows | tuple[Sound, int] | tuple[int, Sound] | Mapping[str, Any] | Signal | str | os.PathLike[str]
)
"""Output of a model: an array, a tensor of any library, a list of numbers, a pair of these and a sample rate, a mapping
of arrays, or a signal; or the path of a file that holds it. Of codec tokens, a list may have rows of different lengths:
the levels of a codec, or a batch."""

TokenInput: TypeAlias = str | Sequence[str] | Sound | Rows | Mapping[str, Any] | os.PathLike[str] | ReadableFile
"""Codec tokens as a model returns them: text, ids, codes, levels, a batch of these, or a file."""
