"""Noise at full level, which is what samples of another type or byte order sound like."""

from __future__ import annotations

import math

import numpy as np

from tonearm_plugins.dsp.levels import rms
from tonearm_plugins.dsp.spectral_flatness import spectral_flatness
from tonearm_plugins.dsp.typing import Array

EXCERPT = 1 << 15
"""Number of samples of each channel that are looked at, from the middle."""

NOISE_RMS_DB = -10.0
"""Lowest level of full-scale noise in dBFS: that of evenly spread values is -4.8."""

NOISE_FLATNESS = 0.5
"""Least spectral flatness of noise: 1 for white noise, less than 0.1 for speech and music."""


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
    start = max(len(samples) - EXCERPT, 0) // 2
    excerpt = samples[start : start + EXCERPT].T
    with np.errstate(all="ignore"):
        level = rms(excerpt)
    if not math.isfinite(level) or level <= 0 or 20 * math.log10(level) < NOISE_RMS_DB:
        return False
    return spectral_flatness(excerpt) >= NOISE_FLATNESS


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
