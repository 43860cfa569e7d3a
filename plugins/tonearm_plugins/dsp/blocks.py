"""Blocks of a long signal, so that a mapped file is never in memory as a whole and a block stays in the cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array, Float32Array

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


def float32_part(channel: Array, start: int, size: int) -> Float32Array:
    """Return consecutive samples of a channel in float32, with silence before and after the channel.

    Parameters
    ----------
    channel
        Samples of shape (samples,).
    start
        Place of the first sample; a negative one lies before the channel.
    size
        Number of samples.

    Returns
    -------
    Float32Array
        Contiguous samples of shape (size,): a view of the channel if it has them, else a copy.

    Examples
    --------
    >>> float32_part(np.array([1.0, 2.0]), -1, 4).tolist()
    [0.0, 1.0, 2.0, 0.0]
    """
    own = channel[max(start, 0) : max(start + size, 0)]
    if own.size == size and own.dtype == np.float32 and own.flags.c_contiguous and own.flags.aligned:
        return own
    copy = np.zeros(size, np.float32)
    begin = max(-start, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        copy[begin : begin + own.size] = own
    return copy


class Tail:
    """The last samples of a signal that comes block by block, which are kept back until more come.

    Parameters
    ----------
    length
        Number of samples that are kept back.

    Examples
    --------
    >>> tail = Tail(2)
    >>> tail.push(np.arange(5)).tolist()
    [0, 1, 2]
    >>> tail.rest().tolist()
    [3, 4]
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._parts: deque[Array] = deque()
        self._waiting = 0

    def push(self, block: Array) -> Array:
        """Return what is ready now: all that came but the last samples.

        Parameters
        ----------
        block
            Next part of the signal, cut along its last axis. What is kept of it is copied.
        """
        if not self._length:
            return block
        ready = []
        self._parts.append(block)
        self._waiting += block.shape[-1]
        while self._waiting > self._length:
            part = self._parts.popleft()
            count = min(part.shape[-1], self._waiting - self._length)
            ready.append(part[..., :count])
            self._waiting -= count
            if count < part.shape[-1]:
                self._parts.appendleft(part[..., count:])
        if self._parts:
            self._parts[-1] = self._parts[-1].copy()
        if not ready:
            return block[..., :0]
        return ready[0] if len(ready) == 1 else np.concatenate(ready, axis=-1)

    def rest(self) -> Array | None:
        """Return what was kept back, in one piece; None if nothing was."""
        parts, self._parts, self._waiting = self._parts, deque(), 0
        return np.concatenate(parts, axis=-1) if parts else None
