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
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid

GAUSSIAN = 0.25645
"""Width of the Gaussian nearest to a Hann window of length 1: gamma / length² in the terms of Prusa et al."""

FLOOR = 1e-10
"""Magnitudes are told apart down to this part of the greatest (-200 dB)."""

TURN = 2.0**32

Floats = npt.NDArray[np.float32]


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
    ``level[n, bin] = level[n - 1, origin[bin]] + step[bin]``, is one gather and one addition.

    Parameters
    ----------
    magnitude
        (frames, bins), float32.
    grid
        The frames.
    """

    def __init__(self, magnitude: Floats, grid: FrameGrid) -> None:
        self.magnitude = magnitude
        self.slope, self.bend = gradient_factors(grid)
        self.small = np.float32(magnitude_floor(magnitude))
        bins = magnitude.shape[1]
        self.bin = np.arange(bins)
        self.half_turn = grid.hop_length * self.bin / (2 * grid.n_fft) % 1.0  # half a hop of the bin's centre frequency
        self.level = np.zeros(bins, np.uint32)  # 2^32 are a turn, so that sums wrap by themselves
        self.arrival = np.zeros((1, bins))

    def __call__(self, first: int, last: int) -> npt.NDArray[np.complex64]:
        """Return the spectra of frames ``first`` to ``last - 1``; these must follow those of the call before."""
        with np.errstate(all="ignore"):
            here = self.magnitude[first:last]
            before = self._frames(first - 1, last - 1)
            slope = -self.slope * self._doublings(self._frames(first + 1, last + 1), before, here)
            integral = np.cumsum(slope, axis=1, dtype=np.float64)
            integral -= slope / 2
            low, high = neighbours(here, 0.0)
            half_advance = self.half_turn + self.bend * self._doublings(high, low, here)
            arrival = np.concatenate([self.arrival, half_advance + integral])
            self.arrival = arrival[-1:]
            # As if each bin were a peak; then each takes over what its peak has.
            origin, step = self._strongest_near(before, arrival[:-1])
            step += half_advance - integral
            peak = self._nearest_peak(here, high)
            origin, step = origin.take(peak), step.take(peak)
            np.nan_to_num(step, copy=False)  # one NaN must not disturb every phase after it
            level = (np.remainder(step, 1.0) * TURN).astype(np.int64).astype(np.uint32)
            for frame, of in zip(level, origin, strict=True):
                frame += self.level.take(of)
                self.level = frame
            self.level = self.level.copy()
            return with_phase(here, level / TURN + integral)

    def _frames(self, first: int, last: int) -> Floats:
        """Return magnitudes of frames, zeros where there are none."""
        inside = self.magnitude[max(0, first) : last]
        missing = (max(0, -first), last - first - max(0, -first) - len(inside))
        return np.pad(inside, (missing, (0, 0))) if any(missing) else inside

    def _doublings(self, above: Floats, below: Floats, otherwise: Floats) -> Floats:
        """Return log2(above / below); a neighbour that is zero or missing is taken to be like the bin itself."""
        above = np.where(above > 0, above, otherwise) + self.small
        below = np.where(below > 0, below, otherwise) + self.small
        return np.log2(np.divide(above, below, out=above), out=above)

    def _nearest_peak(self, here: Floats, high: Floats) -> npt.NDArray[np.intp]:
        """Return for each bin the peak whose flank it stands on, uphill from it, as an index into the whole block."""
        rising = high >= here
        is_peak = ~rising
        is_peak[:, 1:] &= rising[:, :-1]
        to_the_left = np.maximum.accumulate(np.where(is_peak, self.bin, 0), axis=1)
        beyond = np.where(is_peak, self.bin, self.bin[-1])
        to_the_right = np.minimum.accumulate(beyond[:, ::-1], axis=1)[:, ::-1]
        rows = np.arange(len(here))[:, None] * self.bin.size
        return np.where(rising, to_the_right, to_the_left) + rows

    def _strongest_near(
        self, before: Floats, arrival: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Return which of the three nearest bins of the frame before is the strongest, and its arrival."""
        low, high = neighbours(before, -1.0)
        arrival_low, arrival_high = neighbours(arrival, 0.0)
        down = low > before
        best = np.where(down, low, before)
        up = high > best
        origin = self.bin - down
        origin = np.where(up, self.bin + 1, origin)
        return origin, np.where(up, arrival_high, np.where(down, arrival_low, arrival))


Rows = TypeVar("Rows", npt.NDArray[np.float32], npt.NDArray[np.float64])


def neighbours(rows: Rows, missing: float) -> tuple[Rows, Rows]:
    """Return what is one bin below and one above, and at the ends what is given for it."""
    low, high = np.full_like(rows, missing), np.full_like(rows, missing)
    low[:, 1:], high[:, :-1] = rows[:, :-1], rows[:, 1:]
    return low, high


def with_phase(magnitude: Floats, turns: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.complex64]:
    """Return spectra of frames that begin at their first sample, from phases seen from their centre."""
    turns = turns + np.arange(magnitude.shape[1]) % 2 / 2
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
    spectra = np.empty(magnitude.shape, np.complex64)
    np.multiply(magnitude, np.cos(angle), out=spectra.real)
    np.multiply(magnitude, np.sin(angle), out=spectra.imag)
    return spectra


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
