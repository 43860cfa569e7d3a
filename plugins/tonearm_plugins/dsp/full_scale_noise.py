"""Noise at full level, which is what samples of another type or byte order sound like."""

from __future__ import annotations

import math

import numpy as np

from tonearm_plugins.dsp.levels import rms
from tonearm_plugins.dsp.spectral_flatness import spectral_flatness
from tonearm_plugins.dsp.typing import Array

EXCERPT = 1 << 15
"""Number of samples of each channel that are looked at, from the middle."""

NOISE_RMS_DB = -12.0
"""Lowest level of full-scale noise in dBFS: that of evenly spread values is -4.8."""

NOISE_FLATNESS = 0.5
"""Least spectral flatness of noise: 1 for white noise, less than 0.1 for speech and music."""


LARGEST = 4.0
"""Largest amplitude of noise at full level: floats beyond it are of another scale."""

LEAST_CORRELATION = 0.3
"""Correlation of neighbours below which loud samples may be of another encoding."""


def is_full_scale_noise(samples: Array) -> bool:
    """Return whether samples are noise at full level.

    Parameters
    ----------
    samples
        Samples of shape (samples, channels), full scale at ±1.0. An excerpt from the middle is looked at.

    Returns
    -------
    bool
        False for samples that are too few to tell, or not finite.

    Examples
    --------
    >>> noise = np.random.default_rng(0).uniform(-1, 1, (20_000, 1))
    >>> is_full_scale_noise(noise), is_full_scale_noise(noise / 8)
    (True, False)
    """
    excerpt = _excerpt(samples)
    return _is_loud(excerpt) and spectral_flatness(excerpt.T) >= NOISE_FLATNESS


def is_rough(samples: Array) -> bool:
    """Return whether samples are loud, and hardly correlated with their neighbours.

    Sound seldom is. A tone near a quarter of the sample rate is, and so are samples of another encoding.

    Parameters
    ----------
    samples
        Samples of shape (samples, channels), full scale at ±1.0. An excerpt from the middle is looked at.

    Examples
    --------
    >>> tone = (0.5 * np.sin(np.arange(20_000) / 10) * 32767).astype("<i2")
    >>> is_rough(tone[:, None] / 32768), is_rough(tone.byteswap()[:, None] / 32768)
    (False, True)
    """
    excerpt = _excerpt(samples)
    return _is_loud(excerpt) and abs(neighbour_correlation(excerpt)) < LEAST_CORRELATION


def _excerpt(samples: Array) -> Array:
    start = max(len(samples) - EXCERPT, 0) // 2
    return samples[start : start + EXCERPT]


def _is_loud(samples: Array) -> bool:
    if not samples.size or not np.isfinite(samples).all() or np.abs(samples).max() > LARGEST:
        return False
    level = rms(samples.T)
    return level > 0 and 20 * math.log10(level) >= NOISE_RMS_DB


def neighbour_correlation(samples: Array) -> float:
    """Return the correlation of samples with their neighbours, from -1 to 1; near 1 for sound, near 0 for noise.

    Parameters
    ----------
    samples
        Finite samples of shape (samples, channels).

    Examples
    --------
    >>> round(neighbour_correlation(np.sin(np.arange(1000.0) / 10)[:, None]), 2)
    0.99
    """
    values = samples.astype(np.float64) - samples.mean(axis=0, dtype=np.float64)
    power = float((values * values).sum())
    return float((values[1:] * values[:-1]).sum()) / power if power > 0 else 0.0
