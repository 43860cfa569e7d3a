"""Levels of waveforms: peak, RMS, mean, extent, and gain.

Waveforms have the shape (channels, samples), and full scale is ±1.0. They are measured in blocks, so that a mapped file
is never in memory as a whole. NaN and infinity have no level: they count as 0 in a measurement.
"""

from __future__ import annotations

import math

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.typing import Array, Float64Array


def extent(values: Array) -> tuple[float, float]:
    """Find the smallest and the largest value in one pass each.

    Parameters
    ----------
    values
        Real numbers of any shape.

    Returns
    -------
    low, high
        Smallest and largest value; both are NaN if any value is NaN, and both are 0 if the array is empty.

    Examples
    --------
    >>> extent(np.array([[0.25, -0.5]]))
    (-0.5, 0.25)
    """
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def peak(samples: Array) -> float:
    """Measure the largest absolute value over all channels.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).

    Returns
    -------
    float
        Sample peak, where full scale is 1.0.

    Examples
    --------
    >>> peak(np.array([[0.25, -0.5], [np.nan, 0.0]]))
    0.5
    """
    low, high = extent(samples)
    if math.isfinite(low) and math.isfinite(high):
        return max(-low, high)
    return max(float(np.abs(zero_not_finite(samples[:, part])).max()) for part in block_slices(samples.shape[1]))


def rms(samples: Array) -> float:
    """Measure the root mean square over all channels.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples); squares are summed in float64.

    Returns
    -------
    float
        Root mean square, where that of a full-scale sine is 0.7071.

    Examples
    --------
    >>> rms(np.array([[0.5, -0.5, 0.5, -0.5]]))
    0.5
    """
    total = 0.0
    for part in block_slices(samples.shape[1]):
        block = zero_not_finite(samples[:, part]).astype(np.float64, copy=False)
        total += float(np.einsum("ij,ij->", block, block))
    return math.sqrt(total / samples.size)


def channel_means(samples: Array) -> Float64Array:
    """Measure the mean of each channel, its DC offset.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples); values are summed in float64.

    Returns
    -------
    Float64Array
        Mean of each channel, of shape (channels,).

    Examples
    --------
    >>> channel_means(np.array([[0.5, 0.25], [0.0, -1.0]])).tolist()
    [0.375, -0.5]
    """
    total = np.zeros(samples.shape[0])
    for part in block_slices(samples.shape[1]):
        total += zero_not_finite(samples[:, part]).sum(axis=1, dtype=np.float64)
    means: Float64Array = total / samples.shape[1]
    return means


def count_above(samples: Array, threshold: float) -> int:
    """Count the samples whose absolute value is above a threshold.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).
    threshold
        Amplitude; a sample that equals it does not count.

    Returns
    -------
    int
        Number of samples over all channels.

    Examples
    --------
    >>> count_above(np.array([[1.0, -1.5, 0.0]]), 1.0)
    1
    """
    return sum(int(np.count_nonzero(np.abs(samples[:, part]) > threshold)) for part in block_slices(samples.shape[1]))


def amplitude_to_db(amplitude: float) -> float:
    """Convert an amplitude to decibels.

    Parameters
    ----------
    amplitude
        Amplitude or ratio of amplitudes, at least 0.

    Returns
    -------
    float
        ``20 * log10(amplitude)``, which is -inf for 0.

    Examples
    --------
    >>> amplitude_to_db(0.1), amplitude_to_db(0)
    (-20.0, -inf)
    """
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def db_to_amplitude(db: float) -> float:
    """Convert decibels to an amplitude.

    Parameters
    ----------
    db
        Level in dB.

    Returns
    -------
    float
        ``10 ** (db / 20)``.

    Examples
    --------
    >>> db_to_amplitude(-20)
    0.1
    """
    return float(10 ** (db / 20))


def apply_gain(samples: Array, gain: float) -> Array:
    """Multiply a waveform by one gain.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples), float32 or float64.
    gain
        Factor of the amplitude. It may be larger than the dtype of the samples can hold.

    Returns
    -------
    Array
        New waveform of the same shape and dtype.

    Examples
    --------
    >>> apply_gain(np.array([[0.25, -0.5]]), 2).tolist()
    [[0.5, -1.0]]
    """
    kind = samples.dtype.type
    largest = float(np.finfo(kind).max)
    result: Array = samples * kind(min(gain, largest))
    return result if gain <= largest else result * kind(gain / largest)  # samples may be as small as floats can be
