"""The phase gradient: derivatives of the phase that follow from the magnitudes alone.

For a Gaussian window the derivatives of the phase follow from those of the log-magnitude (Portnoff 1979; Prusa, Balazs
and Søndergaard, "A noniterative method for reconstruction of phase from STFT magnitude", 2017). Any usual window is
close enough to a Gaussian of the same width. `plgi` and `pghi` integrate these derivatives along different paths.

Phases are in turns, for frames seen from their centre. A whole number of turns does not matter.
"""

from __future__ import annotations

import math

import numpy as np

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.typing import FloatArray

GAUSSIAN_WIDTH = 0.25645
"""Width of the Gaussian nearest to a Hann window of length 1: gamma / length² in the terms of Prusa et al."""

HANN_DEVIATION = math.sqrt(1 / 12 - 5 / (8 * math.pi**2))
"""Standard deviation of the squared Hann window of length 1, taken as a distribution over time."""

MAGNITUDE_FLOOR = 1e-10
"""Smallest magnitude that is told apart from 0, relative to the largest (-200 dB)."""

TURN = 2.0**32
"""Integers to a turn where phases are 32-bit integers: sums of any length wrap around and lose nothing."""


def effective_length(grid: FrameGrid) -> float:
    """Return the length in samples of the Hann window that is as wide as the window of the grid.

    The width of a window is the standard deviation of its square, taken as a distribution over time.

    Examples
    --------
    >>> hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    >>> grid = FrameGrid.checked(np.pad(hann, 256), hop_length=128, pad=512, frames=10)
    >>> round(effective_length(grid))
    512
    """
    time = np.arange(grid.n_fft) - grid.n_fft / 2
    energy = grid.window**2 / np.sum(grid.window**2)
    variance = float(np.sum(energy * time**2) - np.sum(energy * time) ** 2)
    return min(math.sqrt(max(variance, 0.25)) / HANN_DEVIATION, 2.0 * grid.n_fft)


def gradient_factors(grid: FrameGrid) -> tuple[float, float]:
    """Return (slope, bend), the turns of phase for each doubling of the magnitude.

    ``slope`` is for the phase from bin to bin, by the magnitudes of the frames after and before. ``bend`` is for half
    the phase from frame to frame, by the magnitudes of the bins above and below.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(1024), hop_length=256, pad=512, frames=10)
    >>> slope, bend = gradient_factors(grid)
    >>> round(slope, 3), round(bend, 3)
    (0.056, 0.027)
    """
    slope = GAUSSIAN_WIDTH * effective_length(grid) ** 2 / (grid.hop_length * grid.n_fft) * math.log(2) / (4 * math.pi)
    return slope, math.log(2) ** 2 / (32 * math.pi**2 * slope)


def magnitude_floor(magnitude: FloatArray) -> float:
    """Return the number that is added to magnitudes before their logarithm; NaN is ignored.

    Examples
    --------
    >>> magnitude_floor(np.array([[2.0, np.nan]], np.float32))
    2e-10
    """
    return max(float(np.fmax.reduce(magnitude, axis=None, initial=0.0)) * MAGNITUDE_FLOOR, 1e-30)
