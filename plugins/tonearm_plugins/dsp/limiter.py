"""A look-ahead limiter: the gain goes down before a peak and comes back slowly, so that nothing is clipped.

For each sample, or for the signal between it and the next one, the limiter finds the reduction in dB that keeps it
under the ceiling. The largest reduction within the look-ahead is held, released exponentially, and smoothed by a window
of the length of the look-ahead. Every value in that window is at least what the sample needs, and so is their average.
So the gain is never too high, it has no corners, and the sound is not delayed (Giannoulis, Massberg and Reiss, "Digital
dynamic range compressor design", 2012, with a sliding maximum as look-ahead).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.interpolation import HALO
from tonearm_plugins.dsp.limiter_settings import MIN_REDUCTION_DB, LimiterSettings
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.true_peak import SPAN, true_peak_envelope
from tonearm_plugins.dsp.typing import Array, Float64Array

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.native.limiter_kernel import NativePass

GAIN_BLOCK_LENGTH = 1 << 14
"""Samples whose gain is found together: short blocks, because those without a peak nearby take no time."""

NATIVE_BLOCK_LENGTH = 1 << 16
"""Samples that the native engine gets at once. It skips what needs nothing in shorter chunks of its own."""

TRUE_PEAK_PASSES = 2
"""Limiters in a row that hold true peaks: a changing gain raises peaks between samples, which the second one finds."""


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
        Number of samples over which the gain goes down before a peak, at least 1. With true peaks, it is at least as
        many as an interpolated value is made of, 32: a gain that changes within these raises it.
    release
        Number of samples after which a reduction in dB has fallen to 1/e.
    true_peak
        Whether the ceiling also holds between samples, as `tonearm_plugins.dsp.true_peak` measures it.
    engine
        Engine that does the work: ``auto``, ``native`` or ``scipy``; see `tonearm_plugins.dsp.engines`. Samples of
        float64 are limited by numpy; with ``native``, the kernel measures their true peaks in float32.
    on_progress
        Function called with the progress, block by block.

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
    limiter = PeakLimiter(ceiling, lookahead=lookahead, release=release, true_peak=true_peak, engine=engine)
    return LimiterResult(limiter.push(samples, is_last=True, on_progress=on_progress), limiter.reduction_db)


class PeakLimiter:
    """A limiter at work on a waveform. How the waveform is cut changes no bit.

    The samples come out later than they go in, by the look-ahead, and twice that with true peaks.

    Parameters
    ----------
    ceiling, lookahead, release, true_peak, engine
        Arguments of `limit`.
    """

    def __init__(
        self, ceiling: float, *, lookahead: int, release: float, true_peak: bool, engine: str = "auto"
    ) -> None:
        self._settings = LimiterSettings(ceiling, lookahead, release, true_peak)
        self._engine = engine
        self._block_length = 0
        self._passes: Sequence[_Pass | NativePass] = ()

    @property
    def reduction_db(self) -> float:
        """Largest reduction in dB so far."""
        return sum(one.max_reduction for one in self._passes)

    def push(self, samples: Array, *, is_last: bool = False, on_progress: OnProgress | None = None) -> Array:
        """Limit the next samples.

        Parameters
        ----------
        samples
            Next part of the waveform, of shape (channels, samples), float32 or float64.
        is_last
            Whether nothing follows.
        on_progress
            Function called with the progress within this part, block by block.

        Returns
        -------
        Array
            What is complete, of shape (channels, samples), in the same dtype; with the last part, all that is left.
        """
        if not self._passes:
            self._start(samples.dtype)
        waiting = sum(one.waiting for one in self._passes)
        result = np.empty((samples.shape[0], waiting + samples.shape[1]), samples.dtype)
        done = 0
        for part in block_slices(samples.shape[1], self._block_length, on_progress=on_progress):
            made = samples[:, part]
            for one in self._passes:
                made = one.push(made)
            result[:, done : done + made.shape[1]] = made
            done += made.shape[1]
        if is_last:
            made = samples[:, :0]
            for one in self._passes:
                made = one.push(made, is_last=True)
            result[:, done : done + made.shape[1]] = made
            done += made.shape[1]
        return result[:, :done]

    def _start(self, dtype: np.dtype[Any]) -> None:
        """Choose who does the work, now that the type of the samples is known: the native engine takes float32."""
        settings = self._settings
        count = TRUE_PEAK_PASSES if settings.true_peak else 1
        if dtype == np.float32 and choose(self._engine).name == "native":
            from tonearm_plugins.dsp.engines.native.limiter_kernel import NativePass

            self._block_length = max(NATIVE_BLOCK_LENGTH, 2 * settings.size)
            self._passes = [NativePass(settings) for _ in range(count)]
        else:
            self._block_length = max(GAIN_BLOCK_LENGTH, 2 * settings.size)
            self._passes = [_Pass(settings, dtype, self._engine) for _ in range(count)]


class _Pass:
    """One gain over time at work: what it must be at each sample, and the samples that wait for it.

    Parameters
    ----------
    settings
        Settings of the limiter.
    dtype
        Type of the samples.
    engine
        Engine that measures true peaks.
    """

    def __init__(self, settings: LimiterSettings, dtype: np.dtype[Any], engine: str) -> None:
        self._settings = settings
        self._engine = engine
        self._highest = settings.highest(dtype)
        self._samples: Array | None = None
        self._seen = 0  # samples of these whose peaks have been measured
        self._given = 0  # samples of these that have been given
        self._early = settings.size - 1  # gains to come that are for times before the first sample
        self._ahead = np.zeros(settings.size - 1)
        self._before = np.zeros(settings.size - 1, np.int64)
        self._held = 0.0
        self._highest_log = -np.inf
        self._position = 0
        self.max_reduction = 0.0

    @property
    def waiting(self) -> int:
        """Number of samples that have not been given yet."""
        return 0 if self._samples is None else self._samples.shape[1] - self._given

    def push(self, block: Array, *, is_last: bool = False) -> Array:
        """Return the samples that are complete with another block, times their gain."""
        samples = block if self._samples is None else np.concatenate((self._samples, block), axis=1)
        count = samples.shape[1] - self._seen
        if self._settings.true_peak and not is_last:
            count = max(0, (count - HALO) // SPAN * SPAN)  # an engine gets spans that do not depend on the cut
        needed = self._needed(samples, slice(self._seen, self._seen + count))
        if is_last:
            needed = np.append(needed, np.zeros(self._settings.size - 1))
        gain = self._gain(needed) if needed.size else None
        early = min(self._early, needed.size)
        part = slice(self._given, self._given + needed.size - early)
        result = _applied(samples[:, part], None if gain is None else gain[early:], self._highest)
        self._early -= early
        start = max(0, min(part.stop, self._seen + count - HALO))
        self._samples = samples[:, start:].copy()
        self._seen += count - start
        self._given = part.stop - start
        return result

    def _needed(self, samples: Array, part: slice) -> Float64Array:
        """Return the reduction in dB that each sample of a part needs."""
        result = np.zeros(part.stop - part.start)
        if not result.size:
            return result
        settings = self._settings
        for channel in samples:
            if settings.true_peak:
                peaks = true_peak_envelope(channel, part, settings.ceiling, engine=self._engine)
            else:
                peaks = np.abs(zero_not_finite(channel[part]))
            over = np.flatnonzero(peaks > self._highest)
            if over.size:
                loud = 20 * np.log10(peaks[over].astype(np.float64) / settings.ceiling) + settings.margin_db
                result[over] = np.maximum(result[over], loud)
        return result

    def _gain(self, needed: Float64Array) -> Float64Array | None:
        """Return the gain of as many samples as there are new reductions, `lookahead` - 1 samples before; None is 1."""
        count = needed.size
        window = np.append(self._ahead, needed)
        self._ahead = window[count:]
        self._position += count
        if not self._held and not self._before.any() and not window.any():
            return None
        held = np.ceil(self._released(sliding_maximum(window, self._settings.size)) * (1 / self._settings.unit))
        sums = np.append(self._before, held.astype(np.int64))
        self._before = sums[count:]
        widths = self._settings.widths
        for width in widths:
            total = np.cumsum(np.append(0, sums))
            sums = total[width:] - total[:-width]
        reduction = sums * (self._settings.unit / (widths[0] * widths[1]))
        self.max_reduction = max(self.max_reduction, float(reduction.max()))
        gain: Float64Array = np.exp(reduction * (math.log(10) / -20), out=reduction)
        return gain

    def _released(self, largest: Float64Array) -> Float64Array:
        """Return the largest reductions within the look-ahead in their release, up to the position.

        ``held[n] = max(largest[n], held[n - 1] * exp(-decay))`` is a running maximum of logarithms on a slope.
        """
        if not (self._held or largest.any()):
            return largest
        slope = self._settings.decay * np.arange(self._position - largest.size, self._position)
        logs = np.log(np.maximum(largest, 1e-300))
        logs += slope
        logs[0] = max(logs[0], self._highest_log)
        np.maximum.accumulate(logs, out=logs)
        self._highest_log = logs[-1]
        logs -= slope
        held: Float64Array = np.exp(logs, out=logs)
        held[held < MIN_REDUCTION_DB] = 0.0
        np.maximum(held, largest, out=held)
        self._held = float(held[-1])
        return held


def _applied(block: Array, gain: Float64Array | None, highest: Any) -> Array:
    """Return a block times its gain; a gain of None is 1."""
    if gain is None:
        return block
    out = np.empty(block.shape, block.dtype)
    with np.errstate(invalid="ignore"):
        np.multiply(block, gain, out=out, casting="same_kind")
    # Rounding may have left a sample above the ceiling. NaN stays.
    np.clip(out, -highest, highest, out=out, where=np.isfinite(block))
    return out


def sliding_maximum(values: Float64Array, size: int) -> Float64Array:
    """Find the maximum of each window of consecutive values.

    The maxima of windows of 1, 2, 4, … values are each made of two of those before, and those of ``size`` of two that
    overlap.

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
    width = 1
    while 2 * width <= size:
        values = np.maximum(values[:-width], values[width:])
        width *= 2
    return values if width == size else np.maximum(values[: width - size], values[size - width :])
