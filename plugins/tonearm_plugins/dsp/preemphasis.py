"""Pre-emphasis: its exact inverse, for waveforms of any length."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array

FILTER_BLOCK_LENGTH = 1 << 15
"""Samples in a block, over which the filter makes a dozen passes: with 2^17 samples it takes twice as long."""

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
    before = np.zeros((samples.shape[0], 1))
    tail = coefficient ** np.arange(1, FILTER_BLOCK_LENGTH + 1)
    for part in block_slices(samples.shape[1], FILTER_BLOCK_LENGTH, on_progress=on_progress):
        given = samples[:, part]
        block = zero_not_finite(given).astype(np.float64)
        power, delay = coefficient, 1
        while power > NEGLIGIBLE and delay < block.shape[1]:
            block[:, delay:] += power * block[:, :-delay]
            power, delay = power * power, 2 * delay
        block += tail[: block.shape[1]] * before
        before = block[:, -1:]
        result[:, part] = block
        np.copyto(result[:, part], given, where=~np.isfinite(given))
    return result
