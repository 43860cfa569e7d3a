"""PLGI, peak-locked gradient integration: first phases that are integrated from peak to peak.

The phase gradient (`tonearm_plugins.dsp.phase_recovery.phase_gradient`) is integrated over time only at the peaks of
each frame's spectrum, where it is most reliable. Each peak continues from the strongest of the three nearest bins of
the frame before. From the peak, the gradient over bins is integrated down both its flanks. That takes one pass and no
heap, and all but one addition a bin works on whole blocks of frames.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.initial_phases import write_polar
from tonearm_plugins.dsp.phase_recovery.phase_gradient import TURN, gradient_factors, magnitude_floor
from tonearm_plugins.dsp.typing import ComplexArray, FloatArray, Int32Array, UInt32Array

IN_CACHE = 2**15
"""Numbers of a block on which every step stays in the cache."""


class PeakLockedPhases:
    """The spectra of one channel with the phases of PLGI. Call it for blocks of frames in order.

    The phase of a bin is that of its peak plus the integral of the slope between them, ``G[bin] - G[peak]``, where G is
    the running integral over all bins. So ``phase - G`` is one number for each peak, and the recursion from frame to
    frame, ``level[n, bin] = level[n - 1, origin[bin]] + step[bin]``, is one gather and one addition. Phases are
    integers, 2^32 to a turn.

    Parameters
    ----------
    magnitude
        (frames, bins), float32 or float64; the spectra have the same precision.
    grid
        The frames.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(64), hop_length=16, pad=32, frames=9)
    >>> phases = PeakLockedPhases(np.ones((9, 33), np.float32), grid)
    >>> phases(0, 4).shape
    (4, 33)
    """

    def __init__(self, magnitude: FloatArray, grid: FrameGrid) -> None:
        self.magnitude = magnitude
        slope, bend = gradient_factors(grid)
        self.half_slope, self.bend = np.float32(-slope / 2 / math.log(2)), np.float32(bend / math.log(2))  # of ln
        self.small = np.float32(magnitude_floor(magnitude))
        bins = magnitude.shape[1]
        self.bin = np.arange(bins, dtype=np.int32)
        half_turn = grid.hop_length * np.arange(bins) / (2 * grid.n_fft) % 1.0  # half a hop of the bin's frequency
        self.half_turn = (half_turn * TURN).astype(np.uint64).astype(np.uint32)
        self.centred = (np.arange(bins) % 2 * (TURN / 2)).astype(np.uint32)  # a frame begins half its length before
        self.level = np.zeros(bins, np.uint32)
        self.arrival = np.zeros((1, bins), np.uint32)

    def __call__(self, first: int, last: int) -> ComplexArray:
        """Return the spectra of frames ``first`` to ``last - 1``, (frames, bins). They follow the last call."""
        spectra = np.empty((last - first, self.bin.size), np.result_type(self.magnitude, np.complex64))
        step = max(8, IN_CACHE // self.bin.size)
        with np.errstate(all="ignore"):
            for begin in range(first, last, step):
                end = min(begin + step, last)
                angle = self._phases(begin, end).view(np.int32) * np.float32(2 * np.pi / TURN)
                write_polar(self.magnitude[begin:end], angle, out=spectra[begin - first : end - first])
        return spectra

    def _phases(self, first: int, last: int) -> UInt32Array:
        """Return the phases seen from the first samples of the frames."""
        around = self._frames(first - 1, last + 1)
        before, here = around[:-2], around[1:-1]
        loudness = np.log(around + self.small)
        half_slope = _to_turns(_rise(loudness[2:], around[2:], loudness[:-2], before, loudness[1:-1]), self.half_slope)
        integral = np.cumsum(half_slope, axis=1, dtype=np.uint32)
        integral += integral
        integral -= half_slope
        low, high = _neighbours(here, 0.0)
        quiet_low, quiet_high = _neighbours(loudness[1:-1], 0.0)
        half_advance = _to_turns(_rise(quiet_high, high, quiet_low, low, loudness[1:-1]), self.bend)
        half_advance += self.half_turn
        # First treat every bin as a peak: find where it comes from, and how far it is from there. Then each bin takes
        # over the values of its peak.
        arrival = np.concatenate([self.arrival, half_advance + integral])
        self.arrival = arrival[-1:]
        rows = np.arange(len(here))[:, None] * self.bin.size
        origin = self.bin + _towards_the_strongest(before)
        half_advance -= integral
        half_advance += arrival.take(origin + rows)
        peak = self._nearest_peak(here, high) + rows
        origin, level = origin.take(peak), half_advance.take(peak)
        for frame, of in zip(level, origin, strict=True):
            frame += self.level.take(of)
            self.level = frame
        self.level = self.level.copy()
        level += integral
        level += self.centred
        return level

    def _frames(self, first: int, last: int) -> FloatArray:
        """Return the magnitudes of frames, with zeros before the first and after the last."""
        inside = self.magnitude[max(0, first) : last]
        missing = (max(0, -first), last - first - max(0, -first) - len(inside))
        return np.pad(inside, (missing, (0, 0))) if any(missing) else inside

    def _nearest_peak(self, here: FloatArray, high: FloatArray) -> Int32Array:
        """Return the peak of each bin: the next one uphill."""
        rising = high >= here
        is_peak = ~rising
        is_peak[:, 1:] &= rising[:, :-1]
        last = self.bin[-1]
        below: Int32Array = np.maximum.accumulate(self.bin * is_peak, axis=1)
        above = last - np.maximum.accumulate((self.bin[::-1] * is_peak)[:, ::-1], axis=1)[:, ::-1]
        above -= below
        above *= rising
        below += above
        return below


def _rise(
    loud_above: FloatArray, above: FloatArray, loud_below: FloatArray, below: FloatArray, own: FloatArray
) -> FloatArray:
    """Return ln(above / below), given logarithms. A neighbour that is zero or missing counts as the bin itself."""
    return np.where(above > 0, loud_above, own) - np.where(below > 0, loud_below, own)


def _to_turns(nepers: FloatArray, factor: np.float32) -> UInt32Array:
    """Return ``factor * nepers`` turns as integers. NaN becomes an arbitrary integer, so that it spoils no sum."""
    turns = nepers * factor
    turns -= np.rint(turns)
    turns *= np.float32(TURN)
    return turns.astype(np.int32).view(np.uint32)  # half a turn is too large by one, and becomes minus half a turn


def _towards_the_strongest(magnitude: FloatArray) -> npt.NDArray[np.int8]:
    """Return the offset of the strongest of the three nearest bins: -1, 0 or 1."""
    low, high = _neighbours(magnitude, -1.0)
    down = low > magnitude
    up = high > np.maximum(low, magnitude)
    return up.view(np.int8) - np.greater(down, up).view(np.int8)


def _neighbours(rows: FloatArray, missing: float) -> tuple[FloatArray, FloatArray]:
    """Return the neighbours one bin below and one bin above; at the ends they are ``missing``."""
    low, high = np.empty_like(rows), np.empty_like(rows)
    low[:, 1:], high[:, :-1] = rows[:, :-1], rows[:, 1:]
    low[:, 0] = high[:, -1] = missing
    return low, high
