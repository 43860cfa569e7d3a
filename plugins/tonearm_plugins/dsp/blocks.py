"""Blocks of a long signal, so that a mapped file is never in memory as a whole and a block stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm_plugins.dsp.progress import OnProgress

BLOCK_LENGTH = 1 << 17
"""Samples of each channel in a block: two channels in float64 are 2 MiB, which stay in the cache of a core."""


def block_slices(
    length: int, size: int = BLOCK_LENGTH, *, multiple_of: int = 1, on_progress: OnProgress | None = None
) -> Iterator[slice]:
    """Yield consecutive slices that cover a signal.

    Parameters
    ----------
    length
        Length of the signal in samples.
    size
        Largest length of a slice in samples.
    multiple_of
        Unit in samples that no slice cuts in two: every slice but the last is a whole number of units, and at least one
        unit, even where ``size`` is less.
    on_progress
        Function called with the end of each slice, once the work on it is done, and with the length.

    Yields
    ------
    slice
        The next part of the signal.

    Examples
    --------
    >>> list(block_slices(10, 4))
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    >>> list(block_slices(10, 4, multiple_of=3))
    [slice(0, 3, None), slice(3, 6, None), slice(6, 9, None), slice(9, 10, None)]
    """
    step = max(1, size // multiple_of) * multiple_of
    for start in range(0, length, step):
        stop = min(start + step, length)
        yield slice(start, stop)
        if on_progress:
            on_progress(stop, length)
