"""Spectral flatness, which tells noise from speech and music."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.levels import rms
from tonearm_plugins.dsp.typing import Array

FRAME_LENGTH = 1024
MAX_FRAMES = 256
"""Frames that are averaged at most: a spectrum as a whole needs no more of a long sound."""


def spectral_flatness(samples: Array) -> float:
    """Measure how flat the mean spectrum of the loudest channel is.

    The flatness of a spectrum is the geometric mean of its powers over their arithmetic mean (Johnston, "Transform
    coding of audio signals using perceptual noise criteria", 1988). Powers are averaged over up to 256 Hann frames of
    1,024 samples, which are spread evenly. The first and the last bin are left out.

    Parameters
    ----------
    samples
        Finite waveform of shape (channels, samples).

    Returns
    -------
    float
        From 0 to 1: 1 for white noise, about 0.4 for pink noise, less than 0.1 for speech and music. It is 0 for
        silence, and for a waveform that is shorter than one frame.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 100_000))
    >>> round(spectral_flatness(noise), 2)
    1.0
    >>> spectral_flatness(np.sin(np.arange(100_000))[None]) < 0.001
    True
    """
    if samples.shape[1] < FRAME_LENGTH:
        return 0.0
    channel = max(samples, key=lambda one: rms(one[None]))
    last = len(channel) - FRAME_LENGTH
    starts = np.unique(np.linspace(0, last, min(MAX_FRAMES, 1 + last // (FRAME_LENGTH // 2))).astype(int))
    window = np.hanning(FRAME_LENGTH)
    power = np.zeros(FRAME_LENGTH // 2 - 1)
    for start in starts:
        frame = channel[start : start + FRAME_LENGTH].astype(np.float64)
        power += np.square(np.abs(np.fft.rfft((frame - frame.mean()) * window)))[1:-1]
    if not power.sum():
        return 0.0
    return float(np.exp(np.log(np.maximum(power, 1e-300)).mean()) / power.mean())
