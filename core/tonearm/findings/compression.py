"""Compression of the magnitudes of a Fourier transform, as by a logarithm or a root, which their contrast shows.

Magnitudes of noise have a Rayleigh distribution, and those of other sound lie further apart. So neighbours that do not
overlap differ by 29 % of their sum at least, in the mean, along the bins or along the frames. Logarithms and roots of
magnitudes differ by less. Logarithms of 1 + x keep the contrast of low values; they make the highest bins of a frame
wider than the window does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tonearm.findings.mapped_files import copy_mapped

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_VALUES = 1 << 16
"""Largest number of values that are examined, in the middle of the frames."""

MIN_VALUES = 1 << 12
"""Number of values below which nothing shows."""

MIN_FRAMES = 8
"""Number of frames below which nothing shows."""

LOW_CONTRAST = 0.2
"""Contrast below which magnitudes are compressed; smooth predictions of a model have more."""

NOISE_CONTRAST = 0.28
"""Contrast below which magnitudes with a high mean are compressed; that of noise is 0.293."""

MAX_WIDE_CONTRAST = 0.7
"""Contrast from which wide peaks are those of clicks and sweeps."""

HIGH_MEAN = 0.06
"""Mean of compressed magnitudes, as a fraction of the largest; that of predictions is less."""

RAISED_MEAN = 0.02
"""Mean of logarithms of 1 + x, as a fraction of the largest; that of speech is less."""

WIDE_PEAKS = 0.6
"""Width of the highest bins, between that of noise, 0, and that of equal neighbours, 1, that no window has."""

WIDENED_PEAKS = 0.15
"""Width of the highest bins that few sounds have."""

ROUGH = 0.26
"""Contrast of low values that are no prediction of a model."""

MIN_NOISE_WIDTH = 1.2
"""Least width of the highest bins of noise, however narrow the main lobe of the window is."""

MIN_PEAK_BIN = 4
"""Lowest bin whose neighbours are examined, because a mean of samples fills those below."""


def seems_compressed(values: Array, window: tuple[float, ...], hop_length: int) -> bool:
    """Return whether magnitudes vary too little to be linear.

    Parameters
    ----------
    values
        Magnitudes ≥ 0 of shape (bins, frames).
    window
        Window of the analysis, with zeros up to n_fft.
    hop_length
        Samples from one frame to the next.
    """
    bins, frames = values.shape
    taken = min(frames, max(MAX_VALUES // bins, MIN_FRAMES))
    first = (frames - taken) // 2
    part = copy_mapped(values[:, first : first + taken])
    if part.size < MIN_VALUES or frames < MIN_FRAMES:
        return False
    high = float(part.max())
    if not 0 < high < math.inf:
        return False
    mean = float(part.mean()) / high
    contrast = 0.0
    for one in _contrasts(part, window, hop_length):
        contrast = max(contrast, one)
        if contrast >= MAX_WIDE_CONTRAST or (contrast >= NOISE_CONTRAST and mean < RAISED_MEAN):
            return False
    if contrast < LOW_CONTRAST or (contrast < NOISE_CONTRAST and mean > HIGH_MEAN):
        return True
    if mean < RAISED_MEAN:
        return False
    noise = _width_in_noise(window)
    width = (_width(part) - noise) / (2 - noise)
    return (mean > HIGH_MEAN and width > WIDE_PEAKS) or (width > WIDENED_PEAKS and _roughness(part, window) > ROUGH)


def _contrasts(part: Array, window: tuple[float, ...], hop_length: int) -> Iterator[float]:
    """Yield contrasts along bins and frames, at distances without an overlap, and at others for periodic sounds."""
    lag, far = _lag(window), -(-_length(window) // hop_length)
    yield _contrast(part, lag)
    yield _contrast(part.T, far)
    yield _contrast(part, lag + 1)
    yield _contrast(part.T, max(far // 2, 1))


def _length(window: tuple[float, ...]) -> int:
    return sum(value != 0 for value in window)


def _lag(window: tuple[float, ...]) -> int:
    """Return a number of bins that lie outside of the main lobe of each other."""
    return -(-4 * len(window) // _length(window))


def _contrast(rows: Array, lag: int) -> float:
    """Return the mean difference of rows at a distance, as a fraction of their mean sum; 0 if there are too few."""
    import numpy as np

    if len(rows) <= lag:
        return 0.0
    one, other = rows[:-lag], rows[lag:]
    total = float(one.sum()) + float(other.sum())
    return float(np.abs(one - other).sum()) / total if total > 0 else 1.0


def _roughness(part: Array, window: tuple[float, ...]) -> float:
    """Return the contrast along the bins among values below the median."""
    import numpy as np

    lag = _lag(window)
    one, other = part[:-lag], part[lag:]
    low = np.maximum(one, other) < float(np.median(part))
    total = float((one + other)[low].sum())
    return float(np.abs(one - other)[low].sum()) / total if total > 0 else 0.0


def _width(part: Array) -> float:
    """Return the lower quartile of the sums of both neighbours of the highest bin of loud frames, relative to it."""
    import numpy as np

    inner = part[MIN_PEAK_BIN:-1]
    place = inner.argmax(axis=0) + MIN_PEAK_BIN
    peak = part[place, np.arange(part.shape[1])]
    loudest = np.argsort(-peak)[: max(MIN_FRAMES, len(peak) // 3)]
    place, peak = place[loudest], peak[loudest]
    return float(np.quantile((part[place - 1, loudest] + part[place + 1, loudest]) / np.maximum(peak, 1e-30), 0.25))


@functools.lru_cache(maxsize=16)
def _width_in_noise(window: tuple[float, ...]) -> float:
    """Return the expected sum of both neighbours of a high bin in noise, relative to it."""
    import numpy as np

    squared = np.square(window)
    turn = np.exp(-2j * np.pi * np.arange(len(window)) / len(window))
    return min(max(2 * float(abs(squared @ turn) / squared.sum()), MIN_NOISE_WIDTH), 1.95)
