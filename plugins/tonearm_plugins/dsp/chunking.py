"""Cutting frames into chunks that overlap, for models that cannot take a whole hour at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """Frames that are looked at together, and those of them whose result is kept.

    Parameters
    ----------
    first, last
        The frames ``first`` to ``last - 1`` are given to the model.
    keep_from, keep_to
        Of these, the result of ``keep_from`` to ``keep_to - 1`` is kept.
    """

    first: int
    last: int
    keep_from: int
    keep_to: int


def chunks(frames: int, size: int, overlap: int) -> Iterator[Chunk]:
    """Yield chunks of at most ``size`` frames, of which each sees ``overlap`` frames beyond what is kept of it.

    The parts that are kept follow one another and cover all frames. ``size`` must be greater than ``2 * overlap``.
    """
    if frames <= size:
        yield Chunk(0, frames, 0, frames)
        return
    kept = 0
    while kept < frames:
        first = max(0, min(kept - overlap, frames - size))
        last = min(first + size, frames)
        to = frames if last == frames else last - overlap
        yield Chunk(first, last, kept, to)
        kept = to
