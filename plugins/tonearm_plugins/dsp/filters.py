"""Butterworth filters as second-order sections, by scipy, over waveforms of any length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.levels import finite, stretches

Sections = npt.NDArray[np.float64]


def butterworth(kind: str, hertz: float | Sequence[float], sample_rate: int, order: int) -> Sections:
    """Return the second-order sections (n, 6) of a Butterworth filter (Butterworth, 1930), 3 dB down at its edges.

    Parameters
    ----------
    kind
        ``highpass``, ``lowpass``, ``bandpass`` or ``bandstop``, as scipy names them.
    hertz
        The edge, or two.
    sample_rate
        In Hz; edges lie below half of it.
    order
        Of each flank: 6 dB an octave each.
    """
    from scipy.signal import butter

    sections: Sections = butter(order, hertz, kind, fs=sample_rate, output="sos")
    return sections


def filtered(samples: npt.NDArray[Any], sections: Sections, *, zero_phase: bool = False) -> npt.NDArray[Any]:
    """Return a filtered waveform of the same length and precision, computed in float64.

    Values that are not finite count as 0, and stay.

    Parameters
    ----------
    samples
        (channels, samples).
    sections
        From `butterworth`.
    zero_phase
        False filters in time, from rest, block by block. True filters forwards and backwards, whole channels at once:
        no delay, twice the effect, so 6 dB down at the edges, and echoes ahead of what is sharp; the ends are extended
        by odd reflection.
    """
    from scipy.signal import sosfilt, sosfiltfilt

    result = np.empty_like(samples, order="C")
    for given, out in zip(samples, result, strict=True):
        if zero_phase:
            out[:] = sosfiltfilt(sections, finite(given).astype(np.float64), padlen=_padding(sections, given.size))
        else:
            state = np.zeros((len(sections), 2))
            for part in stretches(given.size):
                out[part], state = sosfilt(sections, finite(given[part]).astype(np.float64), zi=state)
        for part in stretches(given.size):
            np.copyto(out[part], given[part], where=~np.isfinite(given[part]))
    return result


def _padding(sections: Sections, length: int) -> int:
    """Return how many samples the ends are extended by: as scipy does, but no more than there are."""
    taps = 2 * len(sections) + 1
    taps -= min(int((sections[:, 2] == 0).sum()), int((sections[:, 5] == 0).sum()))
    return min(3 * taps, length - 1)
