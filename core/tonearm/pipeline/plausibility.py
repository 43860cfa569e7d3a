"""Plausibility of a signal that the options of a remedy give: whether it can be the sound that the array holds."""

from __future__ import annotations

import math

from tonearm.recipes.variants import MIN_RANGE_DB
from tonearm.signals import MAX_AMPLITUDE, ComplexSpectrogram, MagnitudeSpectrogram, Signal, Waveform

MIN_PEAK = 1e-3
"""Smallest plausible peak of a waveform, -60 dBFS: a scale that makes it lower is not the array's."""

MAX_RANGE_DB = 300.0
"""Largest range of the magnitudes of a sound in dB, from the smallest that is not 0 to the largest."""

FEW = 100
"""Number of values below which a spectrogram is too small to show its range."""


def is_plausible(signal: Signal) -> bool:
    """Return whether a signal can be the sound that an array holds: its level, and the range of its magnitudes."""
    if isinstance(signal, Waveform):
        return _peak(signal) == 0 or MIN_PEAK <= _peak(signal) <= MAX_AMPLITUDE
    if isinstance(signal, (MagnitudeSpectrogram, ComplexSpectrogram)):
        if _peak(signal) > 2 * MAX_AMPLITUDE * signal.grid.n_fft:  # no window has a larger sum
            return False
        return not isinstance(signal, MagnitudeSpectrogram) or _has_range(signal)
    return True


def _peak(signal: Signal) -> float:
    return max((float(abs(array).max()) for array in signal.arrays() if array.size), default=0.0)


def _has_range(signal: MagnitudeSpectrogram) -> bool:
    """Return whether magnitudes lie as far apart as those of a sound do. Those of silence are all the same."""
    positive = signal.values[signal.values > 0]
    if positive.size < FEW:
        return True
    low, high = float(positive.min()), float(positive.max())
    return low == high or MIN_RANGE_DB <= 20 * math.log10(high / low) <= MAX_RANGE_DB
