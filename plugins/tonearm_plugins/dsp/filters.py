"""Butterworth filters as second-order sections, applied by scipy to waveforms of any length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.shared_work import each_channel
from tonearm_plugins.dsp.typing import Array, Float64Array

LEAST_LENGTH = 1 << 17
"""Samples of a channel from which on threads are worth it: about a millisecond of work to a pair of sections."""


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


def apply_filter(
    samples: Array,
    sections: Float64Array,
    *,
    zero_phase: bool = False,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> Array:
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
    threads
        Number of threads that share the channels; it changes no bit of the result.
    on_progress
        Function called with the progress.

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
    if not zero_phase:
        return SectionFilter(sections, threads=threads).push(samples, is_last=True, on_progress=on_progress)
    result = np.empty_like(samples, order="C")

    def filtered(number: int, report: OnProgress | None) -> None:
        given, out = samples[number], result[number]
        out[:] = _both_ways(zero_not_finite(given).astype(np.float64), sections, report)
        for part in block_slices(given.size):
            np.copyto(out[part], given[part], where=~np.isfinite(given[part]))

    each_channel(filtered, range(len(samples)), threads=threads, on_progress=on_progress)
    return result


class SectionFilter:
    """A filter by second-order sections at work, forwards, from rest. How a waveform is cut changes no bit.

    Parameters
    ----------
    sections, threads
        Arguments of `apply_filter`.
    """

    def __init__(self, sections: Float64Array, *, threads: int = 1) -> None:
        self._sections = sections
        self._threads = threads
        self._states: list[Float64Array] = []

    def push(self, samples: Array, *, is_last: bool = False, on_progress: OnProgress | None = None) -> Array:
        """Filter the next samples.

        Parameters
        ----------
        samples
            Next part of the waveform, of shape (channels, samples). NaN and infinity count as 0, and stay.
        is_last
            Whether nothing follows, which makes no difference here.
        on_progress
            Function called with the progress within this part.

        Returns
        -------
        Array
            Waveform of the same shape and dtype.
        """
        from scipy.signal import sosfilt

        states = self._states or [np.zeros((len(self._sections), 2))] * len(samples)
        result = np.empty_like(samples, order="C")

        def filtered(number: int, report: OnProgress | None) -> Float64Array:
            """Filter one channel, and return the state that it leaves."""
            given, out, state = samples[number], result[number], states[number]
            for part in block_slices(given.size, on_progress=report):
                block = given[part]
                finite = zero_not_finite(block)
                out[part], state = sosfilt(self._sections, finite.astype(np.float64), zi=state)
                if finite is not block:
                    np.copyto(out[part], block, where=~np.isfinite(block))
            return state

        threads = self._threads if samples.shape[1] >= LEAST_LENGTH else 1
        self._states = each_channel(filtered, range(len(samples)), threads=threads, on_progress=on_progress)
        return result


def _both_ways(channel: Float64Array, sections: Float64Array, on_progress: OnProgress | None) -> Float64Array:
    """Filter a channel forwards and backwards, as `scipy.signal.sosfiltfilt` does, but block by block."""
    from scipy.signal import sosfilt, sosfilt_zi

    edge = _padding(sections, channel.size)
    before, after = 2 * channel[:1] - channel[edge:0:-1], 2 * channel[-1:] - channel[-2 : -edge - 2 : -1]
    whole = np.concatenate([before, channel, after])
    steady = sosfilt_zi(sections)  # the state that a constant of 1 leads to
    for number, one_way in enumerate((whole, whole[::-1])):
        state = steady * one_way[0]
        for part in block_slices(whole.size, on_progress=share_of(on_progress, number, 2)):
            one_way[part], state = sosfilt(sections, one_way[part], zi=state)
    return whole[edge : edge + channel.size]


def _padding(sections: Float64Array, length: int) -> int:
    """Return how far the ends are extended, in samples: scipy's default, but less than the signal."""
    taps = 2 * len(sections) + 1
    taps -= min(int((sections[:, 2] == 0).sum()), int((sections[:, 5] == 0).sum()))
    return min(3 * taps, length - 1)
