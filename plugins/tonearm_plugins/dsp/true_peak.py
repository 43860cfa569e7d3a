"""True peaks: how high a waveform goes between its samples, by oversampling four times (ITU-R BS.1770-4, annex 2).

Three values are interpolated between each sample and the next. Most of a sound is too quiet for any of them to matter:
what an interpolation gives is bounded by the samples that it sees, so only where those are loud enough is it done at
all, with the very same result.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.levels import BLOCK, finite, peak_of, stretches

Floats = npt.NDArray[Any]

FACTOR = 4
TAPS = 32
"""Samples that an interpolated value sees, half of them on either side."""

BETA = 7.0
"""Of the Kaiser window: flat to 0.02 dB up to 0.44 of the sample rate, images 70 dB down."""

SPAN = 64
"""Samples that are interpolated together, by one matrix."""

HALO = TAPS // 2
BATCH = 512
"""Spans to a product of matrices."""


@functools.cache
def interpolator() -> npt.NDArray[np.float64]:
    """Return the three filters between a sample and the next: (3, TAPS), each with a sum of 1."""
    at = np.arange(1, FACTOR)[:, None] / FACTOR - np.arange(1 - HALO, HALO + 1)
    window = np.i0(BETA * np.sqrt(np.clip(1 - (at / HALO) ** 2, 0, None)))
    filters = np.sinc(at) * window
    result: npt.NDArray[np.float64] = filters / filters.sum(axis=1, keepdims=True)
    return result


@functools.cache
def _matrix() -> npt.NDArray[np.float32]:
    """Return what makes the interpolated values of a span from its samples and those around it."""
    matrix = np.zeros((SPAN + TAPS - 1, FACTOR - 1, SPAN), np.float32)
    for phase, taps in enumerate(interpolator()):
        for sample in range(SPAN):
            matrix[sample : sample + TAPS, phase, sample] = taps
    return matrix.reshape(SPAN + TAPS - 1, -1)


@functools.cache
def bound() -> float:
    """Return how many times its greatest sample an interpolated value can be at most."""
    return float(np.abs(interpolator()).sum(axis=1).max())


class Spans:
    """A stretch of one channel in spans, with what is around them.

    Parameters
    ----------
    channel
        (samples,).
    part
        The stretch.
    engine
        ``native`` or ``scipy``, which here is numpy alone.
    """

    def __init__(self, channel: Floats, part: slice, engine: str) -> None:
        self._engine = engine
        before, after = max(part.start - HALO + 1, 0), min(part.stop + HALO, len(channel))
        self.count = -(-(part.stop - part.start) // SPAN)
        padded = np.zeros(self.count * SPAN + TAPS - 1, np.float32)
        begin = HALO - 1 - (part.start - before)
        padded[begin : begin + after - before] = finite(channel[before:after])
        self.views = np.lib.stride_tricks.sliding_window_view(padded, SPAN + TAPS - 1)[::SPAN]
        self._sizes = np.abs(padded)
        highest = np.maximum.reduceat(self._sizes, np.arange(0, padded.size, SPAN))
        self.loudest = np.maximum(highest[:-1], highest[1:])  # what a span's values see lies in it and the next one

    def sizes(self) -> Floats:
        """Return the absolute value of each sample: (spans, SPAN), and of what follows up to the last span's end."""
        return self._sizes[HALO - 1 :][: self.count * SPAN].reshape(-1, SPAN)

    def between(self, which: npt.NDArray[np.intp]) -> Floats:
        """Return the greatest absolute value between each sample of these spans and the next: (spans, SPAN)."""
        rows = self.views[which]
        if self._engine == "native":
            from tonearm_plugins.dsp.engines.native.true_peak_kernel import between

            return between(rows, interpolator().astype(np.float32))
        values = rows @ _matrix()
        result: Floats = np.abs(values, out=values).reshape(-1, FACTOR - 1, SPAN).max(axis=1)
        return result


def true_peak_of(samples: Floats, *, engine: str = "auto") -> float:
    """Return the true peak over all channels, at least that of the samples themselves; silence is around them.

    Parameters
    ----------
    samples
        (channels, samples); values that are not finite count as 0. What lies between them is found in float32.
    engine
        See `tonearm_plugins.dsp.engines`; native or scipy, which here is numpy alone.
    """
    highest, engine = peak_of(samples), _chosen(engine)
    for channel in samples:
        for part in stretches(len(channel), BLOCK):
            spans = Spans(channel, part, engine)
            for which in _loudest_first(spans.loudest, highest):
                if spans.loudest[which[0]] * bound() <= highest:
                    break
                highest = max(highest, float(spans.between(which).max()))
    return highest


def _chosen(engine: str) -> str:
    return "native" if choose(engine).name == "native" else "scipy"


def _loudest_first(loudest: Floats, highest: float) -> Iterator[npt.NDArray[np.intp]]:
    """Yield batches of those spans that may reach higher."""
    order = np.flatnonzero(loudest * bound() > highest)
    order = order[np.argsort(-loudest[order])]
    for first in range(0, order.size, BATCH):
        yield order[first : first + BATCH]


def envelope(channel: Floats, part: slice, ceiling: float, *, engine: str = "auto") -> Floats:
    """Return for each sample of a stretch the greatest absolute value from it to the next, where it passes a ceiling.

    Elsewhere it is that of the sample itself.
    """
    spans = Spans(channel, part, _chosen(engine))
    rows = spans.sizes()
    which = np.flatnonzero(spans.loudest * bound() > ceiling)
    for first in range(0, which.size, BATCH):
        some = which[first : first + BATCH]
        rows[some] = np.maximum(rows[some], spans.between(some))
    return rows.reshape(-1)[: part.stop - part.start]
