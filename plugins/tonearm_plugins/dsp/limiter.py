"""A look-ahead limiter: the gain is down before a peak comes, and comes back slowly, so nothing is ever cut off.

Of every sample, or of what lies between it and the next, the reduction is found that it needs, in dB. The greatest
within the look-ahead counts, released exponentially, and smoothed by a window of the same length: an average of values
none of which is less than what the sample needs. So the gain is never too high, has no corners, and the sound is not
delayed (Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", 2012, with look-ahead as a sliding
maximum).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.levels import amplitude, decibels, finite, stretches
from tonearm_plugins.dsp.true_peak import envelope, true_peak_of

Floats = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]

BLOCK = 1 << 14
"""Samples that are looked at together: few, because only those near peaks take time."""

LEAST = 1e-5
"""In dB: a reduction that has been released to less is over."""

PASSES = 3
OVERSHOOT_DB = 0.05
"""What a changing gain raises between samples is limited again, so often at most, while it is more than this."""


@dataclass(frozen=True)
class Limited:
    """What a limiter gave.

    Parameters
    ----------
    samples
        (channels, samples).
    reduction_db
        The greatest.
    """

    samples: Floats
    reduction_db: float


def limit(
    samples: Floats, ceiling: float, *, lookahead: int, release: float, true_peak: bool, engine: str = "auto"
) -> Limited:
    """Return a waveform that nowhere goes over a ceiling; all channels have one gain.

    Parameters
    ----------
    samples
        (channels, samples). Values that are not finite stay as they are, and have no say in the gain.
    ceiling
        The greatest amplitude.
    lookahead
        Samples by which the gain goes down ahead of a peak, from 1.
    release
        Samples in which a reduction in dB comes down to 1/e.
    true_peak
        Whether the ceiling holds between samples too, as `tonearm_plugins.dsp.true_peak` measures it.
    engine
        What measures; see `tonearm_plugins.dsp.engines`.
    """
    found, reduction = samples, 0.0
    for _ in range(PASSES):
        gains = _Gains(found, ceiling, lookahead, release, engine if true_peak else None)
        out = np.empty(samples.shape, samples.dtype)
        for part, gain in gains.blocks():
            _apply(found[:, part], gain, ceiling, out=out[:, part])
        found, reduction = out, reduction + gains.greatest
        over = decibels(true_peak_of(found, engine=engine) / ceiling) if true_peak else 0.0
        if over <= OVERSHOOT_DB:
            break
    if over > 0:
        found *= found.dtype.type(amplitude(-over) * (1 - 1e-6))
    return Limited(found, reduction + max(over, 0.0))


def _apply(block: Floats, gain: Doubles | None, ceiling: float, *, out: Floats) -> None:
    """Write a block times its gain; None is 1."""
    if gain is None:
        out[:] = block
        return
    with np.errstate(invalid="ignore"):
        np.multiply(block, gain, out=out, casting="same_kind")
    kind = out.dtype.type
    most = kind(ceiling)
    if most > ceiling:
        most = np.nextafter(most, kind(0))
    # What rounding may have left above; NaN stays.
    np.clip(out, -most, most, out=out, where=np.isfinite(block))


class _Gains:
    """The gain over time, block by block.

    Parameters
    ----------
    samples, ceiling, lookahead, release
        As in `limit`.
    engine
        What finds true peaks; None for those of the samples.
    """

    def __init__(self, samples: Floats, ceiling: float, lookahead: int, release: float, engine: str | None) -> None:
        self.samples = samples
        self.ceiling = ceiling
        self.lookahead = lookahead
        self.decay = 1 / max(release, 1e-9)
        self.engine = engine
        self.greatest = 0.0
        self._held = 0.0  # the reduction before the block, in its release

    def blocks(self) -> Iterator[tuple[slice, Doubles | None]]:
        """Yield each block with its gain; None is 1."""
        reach = self.lookahead - 1
        length = self.samples.shape[1]
        ahead = self._needed(slice(0, min(reach, length)))
        ahead = np.append(ahead, np.zeros(reach - len(ahead)))
        before = self._released(np.append(np.zeros(reach), ahead)[: 2 * reach], reach)
        for part in stretches(length, max(BLOCK, 2 * self.lookahead)):
            more = self._needed(slice(min(part.start + reach, length), min(part.stop + reach, length)))
            needed = np.concatenate([ahead, more, np.zeros(part.stop - part.start - len(more))])
            ahead = needed[part.stop - part.start :]
            if not self._held and not before.any() and not needed.any():
                yield part, None
                continue
            held = np.append(before, self._released(needed, part.stop - part.start))
            before = held[len(held) - reach :]
            reduction = _smoothed(held, self.lookahead)
            self.greatest = max(self.greatest, float(reduction.max()))
            yield part, np.exp(reduction * (math.log(10) / -20))

    def _needed(self, part: slice) -> Doubles:
        """Return the reduction that each sample of a stretch needs, in dB."""
        result = np.zeros(part.stop - part.start)
        if not result.size:
            return result
        for channel in self.samples:
            if self.engine is None:
                peaks = np.abs(finite(channel[part]))
            else:
                peaks = envelope(channel, part, self.ceiling, engine=self.engine)
            over = np.flatnonzero(peaks > self.ceiling)
            if over.size:
                result[over] = np.maximum(result[over], 20 * np.log10(peaks[over].astype(np.float64) / self.ceiling))
        return result

    def _released(self, needed: Doubles, count: int) -> Doubles:
        """Return the first ``count`` reductions, each the greatest within the look-ahead, in their release.

        ``held[n] = max(needed[n], held[n - 1] exp(-decay))`` is a running maximum of logarithms on a slope.
        """
        greatest = sliding_maximum(needed, self.lookahead)[:count]
        if not count or not (self._held or greatest.any()):
            return greatest
        slope = self.decay * np.arange(1, count + 1)
        logs = np.full(count, -np.inf)
        np.log(greatest, out=logs, where=greatest > 0)
        logs += slope
        if self._held:
            logs[0] = max(logs[0], math.log(self._held))
        held: Doubles = np.exp(np.maximum.accumulate(logs, out=logs) - slope)
        held[held < LEAST] = 0.0
        np.maximum(held, greatest, out=held)
        self._held = float(held[-1])
        return held


def sliding_maximum(values: Doubles, size: int) -> Doubles:
    """Return the greatest of each ``size`` values that follow one another: (values - size + 1,).

    Two running maxima within blocks of ``size``, forwards and backwards, have all windows between them (van Herk,
    1992).
    """
    count = len(values) - size + 1
    padded = np.append(values, np.full(-len(values) % size, -np.inf)).reshape(-1, size)
    forwards = np.maximum.accumulate(padded, axis=1).reshape(-1)
    backwards = np.maximum.accumulate(padded[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    return np.maximum(backwards[:count], forwards[size - 1 : size - 1 + count])


def _smoothed(values: Doubles, size: int) -> Doubles:
    """Return averages over a window of ``size``, a box over a box, so that their slope does not jump."""
    first = size // 2 + 1
    for width in (first, size - first + 1):
        total = np.cumsum(np.append(0.0, values))
        values = (total[width:] - total[:-width]) / width
    return values
