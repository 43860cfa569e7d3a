"""The blocks of an array, so that a mapped file is never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm.typing import Array

BLOCK = 1 << 20
"""Number of values per block, small enough for a few of them to be in memory."""


def blocks(array: Array, limit: int = BLOCK) -> Iterator[Array]:
    """Yield views of at most ``limit`` values each that make up an array, in memory order."""
    if array.size <= limit:
        yield array
        return
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    yield from _cut(array.transpose(order), limit)


def _cut(array: Array, limit: int) -> Iterator[Array]:
    if array.size <= limit:
        yield array
        return
    rows = max(1, limit // (array.size // array.shape[0]))
    for start in range(0, array.shape[0], rows):
        if rows == 1:
            yield from _cut(array[start], limit)
        else:
            yield array[start : start + rows]
