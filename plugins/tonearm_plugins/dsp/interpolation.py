"""The filters that interpolate between samples, four times as many: windowed sincs, for true peaks."""

from __future__ import annotations

import functools

import numpy as np

from tonearm_plugins.dsp.typing import Float64Array

OVERSAMPLING = 4
TAPS = 32
"""Samples around an interpolated value that it is made of, half of them on either side."""

KAISER_BETA = 7.0
"""Shape of the Kaiser window: flat to 0.02 dB up to 0.44 of the sample rate, images 70 dB down."""

HALO = TAPS // 2
"""Samples on either side that an interpolated value is made of."""


@functools.cache
def interpolation_filters() -> Float64Array:
    """Design the filters for the values between a sample and the next: windowed sincs.

    Returns
    -------
    Float64Array
        One filter for each of the values, of shape (OVERSAMPLING - 1, TAPS); the taps of a filter add up to 1.

    Examples
    --------
    >>> interpolation_filters().shape
    (3, 32)
    """
    at = np.arange(1, OVERSAMPLING)[:, None] / OVERSAMPLING - np.arange(1 - HALO, HALO + 1)
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (at / HALO) ** 2, 0, None)))
    filters = np.sinc(at) * window
    result: Float64Array = filters / filters.sum(axis=1, keepdims=True)
    return result


@functools.cache
def max_overshoot() -> float:
    """Compute the largest ratio of an interpolated value to the loudest of the samples that it is made of.

    Returns
    -------
    float
        Ratio of amplitudes, above 1.

    Examples
    --------
    >>> round(max_overshoot(), 2)
    2.43
    """
    return float(np.abs(interpolation_filters()).sum(axis=1).max())
