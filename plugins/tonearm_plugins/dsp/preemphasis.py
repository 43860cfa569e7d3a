"""Pre-emphasis: its exact inverse, for waveforms of any length."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array, Float64Array

FILTER_BLOCK_LENGTH = 1 << 11
"""Samples in a block, over which the filter makes a dozen passes. How a waveform is cut changes the last bits."""

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
    result = np.empty(samples.shape, samples.dtype)
    inverse = InversePreemphasis(coefficient)
    for part in block_slices(samples.shape[1], FILTER_BLOCK_LENGTH, on_progress=on_progress):
        result[:, part] = inverse.push(samples[:, part])
    return result


class InversePreemphasis:
    """The inverse of pre-emphasis at work, block by block.

    Parameters
    ----------
    coefficient
        Coefficient of the pre-emphasis, from 0 to below 1.
    """

    def __init__(self, coefficient: float) -> None:
        self._coefficient = coefficient
        self._before: float | Float64Array = 0.0
        self._tail = coefficient ** np.arange(1, FILTER_BLOCK_LENGTH + 1)

    def push(self, samples: Array) -> Array:
        """Undo the pre-emphasis of the next block.

        Parameters
        ----------
        samples
            Next part of the waveform, of shape (channels, samples), at most `FILTER_BLOCK_LENGTH`. NaN and infinity
            count as 0, and stay.

        Returns
        -------
        Array
            Waveform of the same shape and dtype.
        """
        finite = zero_not_finite(samples)
        block = finite.astype(np.float64)
        power, delay = self._coefficient, 1
        while power > NEGLIGIBLE and delay < block.shape[1]:
            block[:, delay:] += power * block[:, :-delay]
            power, delay = power * power, 2 * delay
        block += self._tail[: block.shape[1]] * self._before
        self._before = block[:, -1:].copy()
        result: Array = block.astype(samples.dtype)
        if finite is not samples:
            np.copyto(result, samples, where=~np.isfinite(samples))
        return result
