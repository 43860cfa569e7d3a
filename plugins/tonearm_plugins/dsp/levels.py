"""Levels of waveforms: (channels, samples), measured block by block, so that a mapped file is never loaded whole.

Values that are not finite have no level: they are left out, and stay for whoever looks at what is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 17
"""Samples of each channel that are looked at together: a block of two channels in float64 stays in the cache."""

Floats = npt.NDArray[Any]


def stretches(length: int, size: int = BLOCK) -> Iterator[slice]:
    """Yield slices of at most ``size`` that follow one another and cover ``length`` samples."""
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def finite(block: Floats) -> Floats:
    """Return a block with 0 wherever a value is NaN or infinite; the block itself if there is none."""
    good = np.isfinite(block)
    return block if good.all() else np.where(good, block, block.dtype.type(0))


def peak_of(samples: Floats) -> float:
    """Return the greatest absolute value; 0 if there is none that is finite."""
    peak = float(np.maximum(samples.max(), -samples.min()))
    if math.isfinite(peak):
        return peak
    return max(float(np.abs(finite(samples[:, part])).max()) for part in stretches(samples.shape[1]))


def rms_of(samples: Floats) -> float:
    """Return the root mean square over all channels, summed in float64."""
    total = 0.0
    for part in stretches(samples.shape[1]):
        block = finite(samples[:, part]).astype(np.float64, copy=False)
        total += float(np.einsum("ij,ij->", block, block))
    return math.sqrt(total / samples.size)


def means_of(samples: Floats) -> npt.NDArray[np.float64]:
    """Return the mean of each channel, summed in float64: (channels,)."""
    total = np.zeros(samples.shape[0])
    for part in stretches(samples.shape[1]):
        total += finite(samples[:, part]).sum(axis=1, dtype=np.float64)
    means: npt.NDArray[np.float64] = total / samples.shape[1]
    return means


def decibels(ratio: float) -> float:
    """Return 20 log10 of an amplitude; -inf of 0."""
    return 20 * math.log10(ratio) if ratio > 0 else -math.inf


def amplitude(db: float) -> float:
    """Return the amplitude of a level in dB."""
    return float(10 ** (db / 20))


def scaled(samples: Floats, gain: float) -> Floats:
    """Return samples times one gain, in their own precision."""
    kind = samples.dtype.type
    largest = float(np.finfo(kind).max)
    result: Floats = samples * kind(min(gain, largest))
    return result if gain <= largest else result * kind(gain / largest)  # of what is as small as floats can be
