"""Pre-emphasis: its exact inverse, for waveforms of any length."""

from __future__ import annotations

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
        self._before: list[float] = []
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
        for part in block_slices(result.shape[1], BLOCKS_TOGETHER * FILTER_BLOCK_LENGTH, on_progress=on_progress):
            end = min(part.stop, whole)
            if part.start < end:
                self._undo(given[:, part.start : end], FILTER_BLOCK_LENGTH, out=result[:, part.start : end])
            if end < part.stop:
                self._undo(given[:, end : part.stop], part.stop - end, out=result[:, end : part.stop])
        self._waiting = given[:, whole:].copy()
        return result

    def _undo(self, samples: Array, length: int, *, out: Array) -> None:
        """Write the next samples without pre-emphasis to ``out``, computed in blocks of a length."""
        decay = float(self._tail[length - 1])
        last_samples, self._before = self._before or [0.0] * len(samples), []
        for given, made, last in zip(samples, out, last_samples, strict=True):
            finite = zero_not_finite(given)
            # Time is the first axis, so that a delay is one contiguous part of all blocks.
            blocks = finite.reshape(-1, length).T.astype(np.float64, order="C")
            power, delay = self._coefficient, 1
            while power > NEGLIGIBLE and delay < length:
                blocks[delay:] += power * blocks[:-delay]
                power, delay = power * power, 2 * delay
            before = [last]
            for end in blocks[-1].tolist():
                before.append(end + decay * before[-1])
            blocks += self._tail[:length, None] * np.array(before[:-1])
            self._before.append(before[-1])
            made.reshape(-1, length)[:] = blocks.T
            if finite is not given:
                np.copyto(made, given, where=~np.isfinite(given))
