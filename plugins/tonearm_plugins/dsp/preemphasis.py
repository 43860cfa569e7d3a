"""Pre-emphasis, and its exact inverse, of waveforms of any length."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.levels import finite, stretches

BLOCK = 1 << 15
NOTHING = 1e-20
"""A power of the coefficient that is no more than this changes nothing in float64."""


def deemphasised(
    samples: npt.NDArray[Any], coefficient: float, *, dtype: npt.DTypeLike | None = None
) -> npt.NDArray[Any]:
    """Return the samples from which each next one lost a part of it, as they were before: ``y[n] = x[n] + a y[n-1]``.

    The filter is 1 / (1 - a z⁻¹) = (1 + a z⁻¹)(1 + a² z⁻²)(1 + a⁴ z⁻⁴)…, block by block in float64, what came before
    carried along. Where a value is not finite it counts as 0, and stays.

    Parameters
    ----------
    samples
        (channels, samples).
    coefficient
        From 0, below 1.
    dtype
        Of the result; that of the samples if not given.
    """
    result = np.empty(samples.shape, samples.dtype if dtype is None else dtype)
    before = np.zeros((samples.shape[0], 1))
    tail = coefficient ** np.arange(1, BLOCK + 1)
    for part in stretches(samples.shape[1], BLOCK):
        given = samples[:, part]
        block = finite(given).astype(np.float64)
        power, delay = coefficient, 1
        while power > NOTHING and delay < block.shape[1]:
            block[:, delay:] += power * block[:, :-delay]
            power, delay = power * power, 2 * delay
        block += tail[: block.shape[1]] * before
        before = block[:, -1:]
        result[:, part] = block
        np.copyto(result[:, part], given, where=~np.isfinite(given), casting="same_kind")
    return result
