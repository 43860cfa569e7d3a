"""True peaks: the peaks of a waveform between its samples, by fourfold oversampling (ITU-R BS.1770-4, annex 2).

Three values are interpolated between each sample and the next. An interpolated value is bounded by the samples around
it, so only where these are loud enough is it computed at all. The result is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.interpolation import HALO, OVERSAMPLING, TAPS, interpolation_filters, max_overshoot
from tonearm_plugins.dsp.levels import peak
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.shared_work import each_channel
from tonearm_plugins.dsp.typing import Array, FloatArray, IndexArray

SPAN = 64
"""Samples that are interpolated together, by one matrix."""

BATCH = 512
"""Spans in one product of matrices."""


@functools.cache
def _matrix(dtype: np.dtype[np.floating[Any]]) -> FloatArray:
    """Return the matrix that makes the interpolated values of a span from its samples and those around it."""
    matrix = np.zeros((SPAN + TAPS - 1, OVERSAMPLING - 1, SPAN), dtype)
    for phase, taps in enumerate(interpolation_filters()):
        for sample in range(SPAN):
            matrix[sample : sample + TAPS, phase, sample] = taps
    return matrix.reshape(SPAN + TAPS - 1, -1)


class Spans:
    """Part of one channel, cut into spans of `SPAN` samples, with the samples around them.

    Parameters
    ----------
    channel
        Samples of shape (samples,).
    part
        Part of the channel.
    """

    def __init__(self, channel: Array, part: slice) -> None:
        before, after = max(part.start - HALO + 1, 0), min(part.stop + HALO, len(channel))
        self.count = -(-(part.stop - part.start) // SPAN)
        padded = np.zeros(self.count * SPAN + TAPS - 1, np.float64 if channel.dtype == np.float64 else np.float32)
        begin = HALO - 1 - (part.start - before)
        padded[begin : begin + after - before] = zero_not_finite(channel[before:after])
        self.views = np.lib.stride_tricks.sliding_window_view(padded, SPAN + TAPS - 1)[::SPAN]
        self._sizes = np.abs(padded)
        highest = np.maximum.reduceat(self._sizes, np.arange(0, padded.size, SPAN))
        self.loudest = np.maximum(highest[:-1], highest[1:])  # a span is interpolated from itself and the next one

    def sizes(self) -> Array:
        """Return the absolute value of each sample, of shape (spans, SPAN), up to the end of the last span."""
        return self._sizes[HALO - 1 :][: self.count * SPAN].reshape(-1, SPAN)

    def between(self, which: IndexArray) -> Array:
        """Return the largest absolute value between each sample of some spans and the next: (spans, SPAN)."""
        rows = self.views[which]
        # Each span is a product by itself: the last bits of one product of all would depend on how many there are.
        values = (rows[:, None] @ _matrix(rows.dtype))[:, 0]
        result: Array = np.abs(values, out=values).reshape(-1, OVERSAMPLING - 1, SPAN).max(axis=1)
        return result


def measure_true_peak(
    samples: Array, *, engine: str = "auto", threads: int = 1, on_progress: OnProgress | None = None
) -> float:
    """Measure the true peak of a waveform over all channels.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples). NaN and infinity count as 0, and there is silence before and after it.
    engine
        Engine that interpolates: ``auto``, ``native`` or ``scipy``; see `tonearm_plugins.dsp.engines`. For samples of
        float64, ``auto`` is ``scipy`` (numpy alone, here), because ``native`` works in float32.
    threads
        Number of threads that share the work; it changes no bit of the result.
    on_progress
        Function called with the progress.

    Returns
    -------
    float
        True peak as an amplitude, at least the sample peak; full scale is 1.0.

    Examples
    --------
    >>> samples = np.sin(2 * np.pi * np.arange(48000) / 4 + np.pi / 4)[None]  # every sample is at ±0.707
    >>> samples *= np.hanning(48000)
    >>> round(measure_true_peak(samples), 2)
    1.0
    """
    if _choose(engine, samples) == "native":
        from tonearm_plugins.dsp.engines.native.true_peak_kernel import highest_interpolated

        return highest_interpolated(samples, threads=threads, on_progress=on_progress)
    highest = [peak(samples)]  # and of the channels so far

    def measure(channel: Array, report: OnProgress | None) -> None:
        highest.append(_highest(channel, max(highest), report))

    each_channel(measure, list(samples), threads=threads, on_progress=on_progress)
    return max(highest)


def _highest(channel: Array, known: float, on_progress: OnProgress | None) -> float:
    """Return the true peak of a channel, at least one that is known."""
    highest = known
    for part in block_slices(len(channel), on_progress=on_progress):
        spans = Spans(channel, part)
        for which in _loudest_first(spans.loudest, highest):
            if spans.loudest[which[0]] * max_overshoot() <= highest:
                break
            highest = max(highest, float(spans.between(which).max()))
    return highest


def _choose(engine: str, samples: Array) -> str:
    if engine == "auto" and samples.dtype == np.float64:
        return "scipy"
    return "native" if choose(engine).name == "native" else "scipy"


def _loudest_first(loudest: Array, highest: float) -> Iterator[IndexArray]:
    """Yield the spans that may be higher, in batches, the loudest first."""
    order = np.flatnonzero(loudest * max_overshoot() > highest)
    order = order[np.argsort(-loudest[order])]
    for first in range(0, order.size, BATCH):
        yield order[first : first + BATCH]


def true_peak_envelope(channel: Array, part: slice, ceiling: float, *, engine: str = "auto") -> Array:
    """Measure the true peak at each sample of a part of a channel, wherever it may be above a ceiling.

    Parameters
    ----------
    channel
        Samples of shape (samples,).
    part
        Part of the channel.
    ceiling
        Amplitude above which interpolated values matter.
    engine
        Engine that interpolates; see `measure_true_peak`.

    Returns
    -------
    Array
        Largest absolute value from each sample to the next, of the length of the part: float64 for samples of float64
        unless ``native`` was asked for, float32 for others. Where no value can be above the ceiling, it is that of the
        sample itself.

    Examples
    --------
    >>> samples = np.zeros(64)
    >>> samples[31:33] = 0.5
    >>> [round(float(value), 2) for value in true_peak_envelope(samples, slice(30, 34), 0.4)]
    [0.36, 0.63, 0.5, 0.04]
    """
    if _choose(engine, channel) == "native":
        from tonearm_plugins.dsp.engines.native.true_peak_kernel import interpolated_envelope

        return interpolated_envelope(channel, part, ceiling)
    spans = Spans(channel, part)
    rows = spans.sizes()
    which = np.flatnonzero(spans.loudest * (max_overshoot() * (1 + 1e-5)) > ceiling)  # rounding never decides
    for first in range(0, which.size, BATCH):
        some = which[first : first + BATCH]
        rows[some] = np.maximum(rows[some], spans.between(some))
    return rows.reshape(-1)[: part.stop - part.start]
