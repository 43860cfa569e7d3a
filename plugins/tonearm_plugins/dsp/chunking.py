"""Overlapping chunks of frames, for models that cannot take a long input at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """Frames that are given to a model together, and those of them whose result is kept.

    Parameters
    ----------
    first, last
        Frames ``first`` to ``last - 1`` are given to the model.
    keep_from, keep_to
        The result of frames ``keep_from`` to ``keep_to - 1`` is kept.
    """

    first: int
    last: int
    keep_from: int
    keep_to: int


def overlapping_chunks(frames: int, size: int, overlap: int) -> Iterator[Chunk]:
    """Cut frames into chunks that overlap, so that a model sees what surrounds the frames that are kept.

    Parameters
    ----------
    frames
        Number of frames.
    size
        Largest number of frames in a chunk; it must be more than ``2 * overlap``.
    overlap
        Frames that a chunk has before and after those that are kept. There are none beyond the ends.

    Yields
    ------
    Chunk
        The next chunk. The frames that are kept follow one another and cover all frames.

    Examples
    --------
    >>> for chunk in overlapping_chunks(10, 6, 1):
    ...     print(chunk)
    Chunk(first=0, last=6, keep_from=0, keep_to=5)
    Chunk(first=4, last=10, keep_from=5, keep_to=10)
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
