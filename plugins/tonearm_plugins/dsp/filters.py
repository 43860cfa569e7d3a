"""Butterworth filters as second-order sections, applied by scipy to waveforms of any length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.typing import Array, Float64Array


def butterworth(kind: str, hertz: float | Sequence[float], sample_rate: int, order: int) -> Float64Array:
    """Design a Butterworth filter (Butterworth, "On the theory of filter amplifiers", 1930).

    Parameters
    ----------
    kind
        Kind of filter: ``highpass``, ``lowpass``, ``bandpass`` or ``bandstop``.
    hertz
        Edge in Hz, or both edges, where the filter is 3 dB down. Edges must be below half of the sample rate.
    sample_rate
        Sample rate in Hz.
    order
        Order of each flank, which falls by 6 dB an octave times this.

    Returns
    -------
    Float64Array
        Second-order sections of shape (sections, 6).

    Examples
    --------
    >>> butterworth("lowpass", 4000, 16000, 1).round(3).tolist()
    [[0.5, 0.5, 0.0, 1.0, -0.0, 0.0]]
    """
    from scipy.signal import butter

    sections: Float64Array = butter(order, hertz, kind, fs=sample_rate, output="sos")
    return sections


def apply_filter(samples: Array, sections: Float64Array, *, zero_phase: bool = False) -> Array:
    """Filter a waveform by second-order sections, in float64.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples). NaN and infinity count as 0, and stay.
    sections
        Second-order sections of shape (sections, 6), from `butterworth`.
    zero_phase
        Whether to filter forwards and backwards. There is then no delay, and the filter counts twice: it is 6 dB down
        at its edges, and rings before a transient too. The ends are extended by odd reflection, and a channel is
        filtered as a whole. Otherwise the filter starts at rest and works block by block.

    Returns
    -------
    Array
        Waveform of the same shape and dtype.

    Examples
    --------
    >>> sections = butterworth("highpass", 20, 16000, 2)
    >>> offset = np.full((1, 16000), 0.5)
    >>> bool(abs(apply_filter(offset, sections)[0, -1]) < 1e-6)
    True
    """
    from scipy.signal import sosfilt, sosfiltfilt

    result = np.empty_like(samples, order="C")
    for given, out in zip(samples, result, strict=True):
        if zero_phase:
            whole = zero_not_finite(given).astype(np.float64)
            out[:] = sosfiltfilt(sections, whole, padlen=_padding(sections, given.size))
        else:
            state = np.zeros((len(sections), 2))
            for part in block_slices(given.size):
                out[part], state = sosfilt(sections, zero_not_finite(given[part]).astype(np.float64), zi=state)
        for part in block_slices(given.size):
            np.copyto(out[part], given[part], where=~np.isfinite(given[part]))
    return result


def _padding(sections: Float64Array, length: int) -> int:
    """Return how far the ends are extended, in samples: scipy's default, but less than the signal."""
    taps = 2 * len(sections) + 1
    taps -= min(int((sections[:, 2] == 0).sum()), int((sections[:, 5] == 0).sum()))
    return min(3 * taps, length - 1)
