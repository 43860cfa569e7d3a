"""A look-ahead limiter: the gain goes down before a peak and comes back slowly, so that nothing is clipped.

For each sample, or for the signal between it and the next one, the limiter finds the reduction in dB that keeps it
under the ceiling. The largest reduction within the look-ahead is held, released exponentially, and smoothed by a window
of the length of the look-ahead. Every value in that window is at least what the sample needs, and so is their average.
So the gain is never too high, it has no corners, and the sound is not delayed (Giannoulis, Massberg and Reiss, "Digital
dynamic range compressor design", 2012, with a sliding maximum as look-ahead).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.levels import amplitude_to_db, db_to_amplitude
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.true_peak import measure_true_peak, true_peak_envelope
from tonearm_plugins.dsp.typing import Array, Float64Array

GAIN_BLOCK_LENGTH = 1 << 14
"""Samples whose gain is found together: short blocks, because those without a peak nearby take no time."""

MIN_REDUCTION_DB = 1e-5
"""Reduction in dB below which a release has ended."""

MAX_PASSES = 3
MAX_OVERSHOOT_DB = 0.05
"""A changing gain raises peaks between samples. They are limited again while they are higher than this in dB."""


@dataclass(frozen=True)
class LimiterResult:
    """Result of a limiter.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).
    reduction_db
        Largest reduction in dB.
    """

    samples: Array
    reduction_db: float


def limit(
    samples: Array,
    ceiling: float,
    *,
    lookahead: int,
    release: float,
    true_peak: bool,
    engine: str = "auto",
    on_progress: OnProgress | None = None,
) -> LimiterResult:
    """Limit a waveform to a ceiling, with one gain for all channels.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples), float32 or float64. NaN and infinity stay, and do not change the gain.
    ceiling
        Largest amplitude of the result.
    lookahead
        Number of samples over which the gain goes down before a peak, at least 1.
    release
        Number of samples after which a reduction in dB has fallen to 1/e.
    true_peak
        Whether the ceiling also holds between samples, as `tonearm_plugins.dsp.true_peak` measures it.
    engine
        Engine that measures true peaks; see `tonearm_plugins.dsp.engines`.
    on_progress
        Function called with the progress, block by block. True peaks may take several passes; if one is enough, the
        progress leaps to its end.

    Returns
    -------
    LimiterResult
        Waveform of the same shape and dtype, and the largest reduction.

    Examples
    --------
    >>> click = np.full((1, 1000), 0.1)
    >>> click[0, 500] = 1.0
    >>> result = limit(click, 0.5, lookahead=100, release=200, true_peak=False)
    >>> round(float(result.samples.max()), 6), round(result.reduction_db, 2)
    (0.5, 6.02)
    """
    found, reduction = samples, 0.0
    passes = MAX_PASSES if true_peak else 1
    for number in range(passes):
        gains = _Gains(found, ceiling, lookahead, release, engine if true_peak else None)
        out = np.empty(samples.shape, samples.dtype)
        for part, gain in gains.blocks(share_of(on_progress, number, passes)):
            _apply(found[:, part], gain, ceiling, out=out[:, part])
        found, reduction = out, reduction + gains.max_reduction
        over = amplitude_to_db(measure_true_peak(found, engine=engine) / ceiling) if true_peak else 0.0
        if over <= MAX_OVERSHOOT_DB:
            break
    if over > 0:
        found *= found.dtype.type(db_to_amplitude(-over) * (1 - 1e-6))
    if on_progress:
        on_progress(passes, passes)
    return LimiterResult(found, reduction + max(over, 0.0))


def _apply(block: Array, gain: Float64Array | None, ceiling: float, *, out: Array) -> None:
    """Write a block times its gain to ``out``; a gain of None is 1."""
    if gain is None:
        out[:] = block
        return
    with np.errstate(invalid="ignore"):
        np.multiply(block, gain, out=out, casting="same_kind")
    kind = out.dtype.type
    limit = kind(ceiling)
    if limit > ceiling:
        limit = np.nextafter(limit, kind(0))
    # Rounding may have left a sample above the ceiling. NaN stays.
    np.clip(out, -limit, limit, out=out, where=np.isfinite(block))


class _Gains:
    """Gain over time, block by block.

    Parameters
    ----------
    samples, ceiling, lookahead, release
        Arguments of `limit`.
    engine
        Engine that measures true peaks; None to look at samples alone.
    """

    def __init__(self, samples: Array, ceiling: float, lookahead: int, release: float, engine: str | None) -> None:
        self.samples = samples
        self.ceiling = ceiling
        self.lookahead = lookahead
        self.decay = 1 / max(release, 1e-9)
        self.engine = engine
        self.max_reduction = 0.0
        self._held = 0.0  # the reduction before the block, in its release

    def blocks(self, on_progress: OnProgress | None = None) -> Iterator[tuple[slice, Float64Array | None]]:
        """Yield each block with its gain; None is 1."""
        reach = self.lookahead - 1
        length = self.samples.shape[1]
        ahead = self._needed(slice(0, min(reach, length)))
        ahead = np.append(ahead, np.zeros(reach - len(ahead)))
        before = self._released(np.append(np.zeros(reach), ahead)[: 2 * reach], reach)
        for part in block_slices(length, max(GAIN_BLOCK_LENGTH, 2 * self.lookahead), on_progress=on_progress):
            more = self._needed(slice(min(part.start + reach, length), min(part.stop + reach, length)))
            needed = np.concatenate([ahead, more, np.zeros(part.stop - part.start - len(more))])
            ahead = needed[part.stop - part.start :]
            if not self._held and not before.any() and not needed.any():
                yield part, None
                continue
            held = np.append(before, self._released(needed, part.stop - part.start))
            before = held[len(held) - reach :]
            reduction = _smooth(held, self.lookahead)
            self.max_reduction = max(self.max_reduction, float(reduction.max()))
            yield part, np.exp(reduction * (math.log(10) / -20))

    def _needed(self, part: slice) -> Float64Array:
        """Return the reduction in dB that each sample of a part needs."""
        result = np.zeros(part.stop - part.start)
        if not result.size:
            return result
        for channel in self.samples:
            if self.engine is None:
                peaks = np.abs(zero_not_finite(channel[part]))
            else:
                peaks = true_peak_envelope(channel, part, self.ceiling, engine=self.engine)
            over = np.flatnonzero(peaks > self.ceiling)
            if over.size:
                result[over] = np.maximum(result[over], 20 * np.log10(peaks[over].astype(np.float64) / self.ceiling))
        return result

    def _released(self, needed: Float64Array, count: int) -> Float64Array:
        """Return the first ``count`` reductions: the largest within the look-ahead, in their release.

        ``held[n] = max(needed[n], held[n - 1] * exp(-decay))`` is a running maximum of logarithms on a slope.
        """
        largest = sliding_maximum(needed, self.lookahead)[:count]
        if not count or not (self._held or largest.any()):
            return largest
        slope = self.decay * np.arange(1, count + 1)
        logs = np.full(count, -np.inf)
        np.log(largest, out=logs, where=largest > 0)
        logs += slope
        if self._held:
            logs[0] = max(logs[0], math.log(self._held))
        held: Float64Array = np.exp(np.maximum.accumulate(logs, out=logs) - slope)
        held[held < MIN_REDUCTION_DB] = 0.0
        np.maximum(held, largest, out=held)
        self._held = float(held[-1])
        return held


def sliding_maximum(values: Float64Array, size: int) -> Float64Array:
    """Find the maximum of each window of consecutive values.

    Two running maxima within blocks of ``size``, forwards and backwards, give the maximum of every window (van Herk, "A
    fast algorithm for local minimum and maximum filters", 1992). The time does not depend on ``size``.

    Parameters
    ----------
    values
        Values of shape (values,).
    size
        Length of a window, at most the number of values.

    Returns
    -------
    Float64Array
        Maxima of shape (values - size + 1,).

    Examples
    --------
    >>> sliding_maximum(np.array([1.0, 3.0, 2.0, 0.0, 1.0]), 2).tolist()
    [3.0, 3.0, 2.0, 1.0]
    """
    count = len(values) - size + 1
    padded = np.append(values, np.full(-len(values) % size, -np.inf)).reshape(-1, size)
    forwards = np.maximum.accumulate(padded, axis=1).reshape(-1)
    backwards = np.maximum.accumulate(padded[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    return np.maximum(backwards[:count], forwards[size - 1 : size - 1 + count])


def _smooth(values: Float64Array, size: int) -> Float64Array:
    """Return averages over a window of ``size``: a box over a box, whose slope does not jump."""
    first = size // 2 + 1
    for width in (first, size - first + 1):
        total = np.cumsum(np.append(0.0, values))
        values = (total[width:] - total[:-width]) / width
    return values
