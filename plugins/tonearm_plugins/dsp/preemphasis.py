"""Pre-emphasis: its exact inverse, for waveforms of any length."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array

FILTER_BLOCK_LENGTH = 1 << 11
"""Samples that the filter is computed over from rest, before what was left of those before them is added."""

BLOCKS_TOGETHER = 1 << 4
"""Number of these blocks in one pass of the dozen that each takes: more do not stay in the cache."""

NEGLIGIBLE = 1e-20
"""Power of the coefficient up to which a sample changes nothing in float64."""


def deemphasis(samples: Array, coefficient: float, *, on_progress: OnProgress | None = None) -> Array:
    """Undo pre-emphasis: ``y[n] = x[n] + coefficient * y[n - 1]``.

    The filter 1 / (1 - a z⁻¹) is the product (1 + a z⁻¹)(1 + a² z⁻²)(1 + a⁴ z⁻⁴)…. It is computed in float64, block by
    block.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples). NaN and infinity count as 0, and stay.
    coefficient
        Coefficient of the pre-emphasis, from 0 to below 1.
    on_progress
        Function called with the samples that are done, and with the number of all.

    Returns
    -------
    Array
        Waveform of the same shape and dtype.

    Examples
    --------
    >>> deemphasis(np.array([[1.0, 0.0, 0.0]]), 0.5).tolist()
    [[1.0, 0.5, 0.25]]
    """
    return InversePreemphasis(coefficient).push(samples, is_last=True, on_progress=on_progress)


class InversePreemphasis:
    """The inverse of pre-emphasis at work. How a waveform is cut changes no bit.

    The samples come out in blocks of `FILTER_BLOCK_LENGTH`.

    Parameters
    ----------
    coefficient
        Coefficient of the pre-emphasis, from 0 to below 1.
    """

    def __init__(self, coefficient: float) -> None:
        self._coefficient = coefficient
        self._tail = coefficient ** np.arange(1, FILTER_BLOCK_LENGTH + 1)
        self._before: Any = 0.0
        self._waiting: Array | None = None

    def push(self, samples: Array, *, is_last: bool = False, on_progress: OnProgress | None = None) -> Array:
        """Undo the pre-emphasis of the next samples.

        Parameters
        ----------
        samples
            Next part of the waveform, of shape (channels, samples). NaN and infinity count as 0, and stay.
        is_last
            Whether nothing follows.
        on_progress
            Function called with the samples of this part that are done, and with the number of all.

        Returns
        -------
        Array
            What is complete, of shape (channels, samples), in the same dtype; with the last part, all that is left.
        """
        given = samples if self._waiting is None else np.concatenate((self._waiting, samples), axis=1)
        whole = given.shape[1] // FILTER_BLOCK_LENGTH * FILTER_BLOCK_LENGTH
        result = np.empty((given.shape[0], given.shape[1] if is_last else whole), given.dtype)
        for part in block_slices(whole, BLOCKS_TOGETHER * FILTER_BLOCK_LENGTH, on_progress=on_progress):
            result[:, part] = self._undone(given[:, part], FILTER_BLOCK_LENGTH)
        if whole < result.shape[1]:
            result[:, whole:] = self._undone(given[:, whole:], given.shape[1] - whole)
            if on_progress:
                on_progress(given.shape[1], given.shape[1])
        self._waiting = given[:, whole:].copy()
        return result

    def _undone(self, samples: Array, length: int) -> Array:
        """Return the next samples without pre-emphasis, computed in blocks of a length."""
        finite = zero_not_finite(samples)
        blocks = finite.astype(np.float64).reshape(samples.shape[0], -1, length)
        power, delay = self._coefficient, 1
        while power > NEGLIGIBLE and delay < length:
            blocks[..., delay:] += power * blocks[..., :-delay]
            power, delay = power * power, 2 * delay
        before = np.empty((samples.shape[0], blocks.shape[1], 1))
        for number in range(blocks.shape[1]):
            before[:, number, 0] = self._before
            self._before = blocks[:, number, -1] + self._tail[length - 1] * self._before
        blocks += self._tail[:length] * before
        result: Array = blocks.reshape(samples.shape).astype(samples.dtype)
        if finite is not samples:
            np.copyto(result, samples, where=~np.isfinite(samples))
        return result
