"""First phases from magnitudes alone, better than random: PLGI and PGHI.

For a Gaussian window the phase's derivatives follow from those of the log-magnitude (Portnoff 1979; Prusa, Balazs and
Søndergaard, "A noniterative method for reconstruction of phase from STFT magnitude", 2017). Any usual window is close
enough to a Gaussian of the same width. Both methods integrate these derivatives, along different paths:

PGHI (phase gradient heap integration, the paper above)
    from the loudest bin outwards, always by way of the loudest bin reached so far: a heap, bin by bin.
PLGI (peak-locked gradient integration)
    in time only at the peaks of each frame's spectrum, where the derivative is most reliable, each peak going on from
    the strongest of the three nearest bins of the frame before; then from the peak down both its flanks. One pass, no
    heap, and all but one addition a bin works on whole blocks of frames.

Phases are in turns, for frames seen from their centre; a whole number of turns does not matter.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid

GAUSSIAN = 0.25645
"""Width of the Gaussian nearest to a Hann window of length 1: gamma / length² in the terms of Prusa et al."""

FLOOR = 1e-10
"""Magnitudes are told apart down to this part of the greatest (-200 dB)."""

TURN = 2.0**32
CACHED = 2**15
"""Numbers of a block on which every step of PLGI stays in the cache."""

Floats = npt.NDArray[np.float32]
Turns = npt.NDArray[np.uint32]


HANN_DEVIATION = math.sqrt(1 / 12 - 5 / (8 * math.pi**2))
"""Standard deviation of the squared Hann window of length 1, taken as a distribution over time."""


def effective_length(grid: FrameGrid) -> float:
    """Return the length of the Hann window that is as wide as the grid's window, by that deviation."""
    time = np.arange(grid.n_fft) - grid.n_fft / 2
    energy = grid.window**2 / np.sum(grid.window**2)
    variance = float(np.sum(energy * time**2) - np.sum(energy * time) ** 2)
    return min(math.sqrt(max(variance, 0.25)) / HANN_DEVIATION, 2.0 * grid.n_fft)


def gradient_factors(grid: FrameGrid) -> tuple[float, float]:
    """Return (slope, bend): turns of phase for each doubling of the magnitude.

    ``slope`` is for the phase from bin to bin, by the magnitudes of the frames after and before; ``bend`` for half the
    phase from frame to frame, by the magnitudes of the bins above and below.
    """
    slope = GAUSSIAN * effective_length(grid) ** 2 / (grid.hop_length * grid.n_fft) * math.log(2) / (4 * math.pi)
    return slope, math.log(2) ** 2 / (32 * math.pi**2 * slope)


def magnitude_floor(magnitude: Floats) -> float:
    """Return what is added to magnitudes before their logarithm; a NaN among them changes nothing."""
    return max(float(np.fmax.reduce(magnitude, axis=None, initial=0.0)) * FLOOR, 1e-30)


class PeakLockedPhases:
    """PLGI on one channel: called for blocks of frames in order, it gives their spectra (frames, bins).

    The phase at a bin is that of its peak plus the integral of the slope between them, ``G[bin] - G[peak]``, with G the
    running integral over all bins. So ``phase - G`` is one number a peak, and the recursion from frame to frame,
    ``level[n, bin] = level[n - 1, origin[bin]] + step[bin]``, is one gather and one addition. Phases are integers, 2^32
    to a turn, so that sums of any length wrap by themselves and lose nothing.

    Parameters
    ----------
    magnitude
        (frames, bins), float32.
    grid
        The frames.
    """

    def __init__(self, magnitude: Floats, grid: FrameGrid) -> None:
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

    def __call__(self, first: int, last: int) -> npt.NDArray[np.complex64]:
        """Return the spectra of frames ``first`` to ``last - 1``; these must follow those of the call before."""
        spectra = np.empty((last - first, self.bin.size), np.complex64)
        step = max(8, CACHED // self.bin.size)
        with np.errstate(all="ignore"):
            for begin in range(first, last, step):
                end = min(begin + step, last)
                angle = self._phases(begin, end).view(np.int32) * np.float32(2 * np.pi / TURN)
                give_phase(self.magnitude[begin:end], angle, out=spectra[begin - first : end - first])
        return spectra

    def _phases(self, first: int, last: int) -> Turns:
        """Return the phases seen from the first samples of the frames."""
        around = self._frames(first - 1, last + 1)
        before, here = around[:-2], around[1:-1]
        loudness = np.log(around + self.small)
        half_slope = turns_of(
            self._rise(loudness[2:], around[2:], loudness[:-2], before, loudness[1:-1]), self.half_slope
        )
        integral = np.cumsum(half_slope, axis=1, dtype=np.uint32)
        integral += integral
        integral -= half_slope
        low, high = neighbours(here, 0.0)
        quiet_low, quiet_high = neighbours(loudness[1:-1], 0.0)
        half_advance = turns_of(self._rise(quiet_high, high, quiet_low, low, loudness[1:-1]), self.bend)
        half_advance += self.half_turn
        # As if each bin were a peak: where it comes from, and how far it is from there. Then each takes over what its
        # peak has.
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

    def _frames(self, first: int, last: int) -> Floats:
        """Return magnitudes of frames, zeros where there are none."""
        inside = self.magnitude[max(0, first) : last]
        missing = (max(0, -first), last - first - max(0, -first) - len(inside))
        return np.pad(inside, (missing, (0, 0))) if any(missing) else inside

    @staticmethod
    def _rise(loud_above: Floats, above: Floats, loud_below: Floats, below: Floats, otherwise: Floats) -> Floats:
        """Return ln(above / below); a neighbour that is zero or missing is taken to be like the bin itself."""
        return np.where(above > 0, loud_above, otherwise) - np.where(below > 0, loud_below, otherwise)

    def _nearest_peak(self, here: Floats, high: Floats) -> npt.NDArray[np.int32]:
        """Return for each bin the peak whose flank it stands on, uphill from it."""
        rising = high >= here
        is_peak = ~rising
        is_peak[:, 1:] &= rising[:, :-1]
        last = self.bin[-1]
        below: npt.NDArray[np.int32] = np.maximum.accumulate(self.bin * is_peak, axis=1)
        above = last - np.maximum.accumulate((self.bin[::-1] * is_peak)[:, ::-1], axis=1)[:, ::-1]
        above -= below
        above *= rising
        below += above
        return below


def turns_of(nepers: Floats, factor: np.float32) -> Turns:
    """Return ``factor * nepers`` turns as integers; of a NaN it is any number, so that it disturbs no sum."""
    turns = nepers * factor
    turns -= np.rint(turns)
    turns *= np.float32(TURN)
    return turns.astype(np.int32).view(np.uint32)  # half a turn is too large by one, and becomes minus half a turn


def _towards_the_strongest(magnitude: Floats) -> npt.NDArray[np.int8]:
    """Return where the strongest of the three nearest bins is: -1, 0 or 1 bins on."""
    low, high = neighbours(magnitude, -1.0)
    down = low > magnitude
    up = high > np.maximum(low, magnitude)
    return up.view(np.int8) - np.greater(down, up).view(np.int8)


def neighbours(rows: Floats, missing: float) -> tuple[Floats, Floats]:
    """Return what is one bin below and one above, and at the ends what is given for it."""
    low, high = np.empty_like(rows), np.empty_like(rows)
    low[:, 1:], high[:, :-1] = rows[:, :-1], rows[:, 1:]
    low[:, 0] = high[:, -1] = missing
    return low, high


def with_phase(magnitude: Floats, turns: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.complex64]:
    """Return spectra of frames that begin at their first sample, from phases seen from their centre."""
    turns = turns + np.arange(magnitude.shape[1]) % 2 / 2
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
    spectra = np.empty(magnitude.shape, np.complex64)
    give_phase(magnitude, angle, out=spectra)
    return spectra


def give_phase(magnitude: Floats, angle: Floats, *, out: npt.NDArray[np.complex64]) -> None:
    """Write spectra of these magnitudes and phases."""
    np.multiply(magnitude, np.cos(angle), out=out.real)
    np.multiply(magnitude, np.sin(angle), out=out.imag)


def pghi(magnitude: Floats, grid: FrameGrid, *, seed: int, tolerance: float = 1e-6) -> npt.NDArray[np.float32]:
    """Return PGHI's phases of one channel (frames, bins), in turns seen from the frame's centre.

    Bins below ``tolerance`` times the greatest magnitude get random phases, as in the paper. The heap is a loop over
    bins: numba compiles it where numba is installed (a second, once in a process); without, Python takes some 2 µs a
    bin.
    """
    slope, bend = gradient_factors(grid)
    small = np.float32(magnitude_floor(magnitude))
    loudness = np.log2(np.fmax(magnitude, 0) + small)
    over_bins = np.zeros_like(loudness)
    over_frames = np.zeros_like(loudness)
    if len(loudness) > 1:
        over_bins[:] = -2 * slope * np.gradient(loudness, axis=0)
    over_frames[:] = grid.hop_length * np.arange(loudness.shape[1]) / grid.n_fft
    over_frames += 4 * bend * np.gradient(loudness, axis=1)
    turns = np.random.default_rng(seed).random(magnitude.shape, dtype=np.float32)
    threshold = np.fmax.reduce(magnitude, axis=None, initial=0.0) * tolerance
    del loudness
    order = np.argsort(-magnitude.ravel(), kind="stable")[: np.count_nonzero(magnitude > threshold)]
    _heap_integration()(magnitude, over_frames, over_bins, order, float(threshold), turns)
    return turns


@functools.cache
def _heap_integration() -> Callable[..., None]:
    """Return `_integrate_from_the_loudest`, compiled if numba is there."""
    try:
        import numba
    except ImportError:
        return _integrate_from_the_loudest
    compiled: Callable[..., None] = numba.njit(_integrate_from_the_loudest)
    return compiled


def _integrate_from_the_loudest(
    magnitude: Any, over_frames: Any, over_bins: Any, order: Any, threshold: float, turns: Any
) -> None:
    """Spread phases from each of ``order`` (bins, loudest first) that is not reached yet; ``turns`` is written."""
    frames, bins = magnitude.shape
    reached = magnitude <= threshold
    for start in order:
        frame, bin_ = start // bins, start % bins
        if reached[frame, bin_]:
            continue
        reached[frame, bin_] = True
        turns[frame, bin_] = 0.0
        heap = [(-magnitude[frame, bin_], frame, bin_)]
        while heap:
            _, n, m = heapq.heappop(heap)
            for dn, dm in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                i, k = n + dn, m + dm
                if i < 0 or k < 0 or i >= frames or k >= bins or reached[i, k]:
                    continue
                gradient = dn * (over_frames[n, m] + over_frames[i, k]) + dm * (over_bins[n, m] + over_bins[i, k])
                phase = turns[n, m] + 0.5 * gradient
                turns[i, k] = phase - np.floor(phase)
                reached[i, k] = True
                heapq.heappush(heap, (-magnitude[i, k], i, k))


def noise(grid: FrameGrid, seed: int) -> Floats:
    """Return white noise on the padded time axis: its phases are as random as consistent phases can be."""
    samples = (grid.frames - 1) * grid.hop_length + grid.n_fft
    return np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)


def spectra_with(
    magnitude: Floats, turns: npt.NDArray[np.float32] | None
) -> Callable[[int, int], npt.NDArray[np.complex64]]:
    """Return a function that gives blocks of spectra; None is phase zero at each frame's first sample."""

    def spectra(first: int, last: int) -> npt.NDArray[np.complex64]:
        if turns is None:
            return magnitude[first:last].astype(np.complex64)
        return with_phase(magnitude[first:last], turns[first:last])

    return spectra
