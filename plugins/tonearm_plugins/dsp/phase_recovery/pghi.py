"""PGHI, phase gradient heap integration: first phases that are integrated from the loudest bins outwards.

The method is that of Prusa, Balazs and Søndergaard, "A noniterative method for reconstruction of phase from STFT
magnitude", 2017. The phase gradient (`tonearm_plugins.dsp.phase_recovery.phase_gradient`) is integrated bin by bin,
always by way of the loudest bin reached so far, which a heap finds.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.phase_gradient import gradient_factors, magnitude_floor
from tonearm_plugins.dsp.typing import Float32Array, FloatArray, Int64Array

BINS_AT_ONCE = 1 << 19
"""Bins that are integrated between two signs of life: some hundred milliseconds of work."""


def pghi(
    magnitude: FloatArray,
    grid: FrameGrid,
    *,
    seed: int,
    tolerance: float = 1e-6,
    on_step: Callable[[], object] | None = None,
) -> Float32Array:
    """Return the phases of PGHI, in turns seen from the centre of each frame: (frames, bins), float32.

    Bins below ``tolerance`` times the largest magnitude get random phases, as in the paper. The heap is a loop over
    bins. Where numba is installed it compiles that loop, once in a process, in a second; Python takes some 2 µs a bin.

    Parameters
    ----------
    magnitude
        (frames, bins), float32 or float64.
    grid
        The frames.
    seed
        Seed of the random phases.
    tolerance
        Smallest magnitude that is integrated, relative to the largest.
    on_step
        Function called now and then while bins are integrated. An exception from it ends the integration.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(64), hop_length=16, pad=32, frames=4)
    >>> magnitude = np.zeros((4, 33), np.float32)
    >>> magnitude[:, 8] = 1  # a tone whose period is 8 samples: two turns a hop
    >>> turns = pghi(magnitude, grid, seed=0)
    >>> turns[:, 8]
    array([0., 0., 0., 0.], dtype=float32)
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
    peak = np.fmax.reduce(magnitude, axis=None, initial=0.0)
    flat, reached = magnitude.ravel(), ~(magnitude > peak * tolerance)
    del loudness
    integrate = _heap_integration()

    def integrate_from(order: Int64Array) -> None:
        heap = np.empty(0, np.int64)
        while order.size or heap.size:
            used, heap = integrate(magnitude, over_frames, over_bins, order, heap, reached, turns, BINS_AT_ONCE)
            order = order[used:]
            if on_step is not None and (order.size or heap.size):
                on_step()

    integrate_from(np.array([np.argmax(flat == peak)]))  # by which nearly all are reached: the rest alone is sorted
    rest = np.flatnonzero(~reached)
    integrate_from(rest[np.argsort(-flat[rest], kind="stable")])
    return turns


@functools.cache
def _heap_integration() -> Callable[..., tuple[int, Int64Array]]:
    """Return `_integrate_from_the_loudest`, compiled if numba is installed."""
    try:
        import numba
    except ImportError:
        return _integrate_from_the_loudest
    compiled: Callable[..., tuple[int, Int64Array]] = numba.njit(_integrate_from_the_loudest)
    return compiled


def _integrate_from_the_loudest(
    magnitude: Any, over_frames: Any, over_bins: Any, order: Any, waiting: Any, reached: Any, turns: Any, most: int
) -> tuple[int, Any]:
    """Spread phases to ``turns`` from each bin of ``order`` (loudest first) that is not reached yet.

    It begins with the heap of bins that are ``waiting``, ends after ``most`` bins, and returns how many of ``order`` it
    has seen, and the heap of those that wait then.
    """
    frames, bins = magnitude.shape
    heap = [(-magnitude[place // bins, place % bins], place // bins, place % bins) for place in waiting]
    seen = 0
    while most > 0 and (len(heap) > 0 or seen < len(order)):
        if len(heap) == 0:
            frame, bin_ = order[seen] // bins, order[seen] % bins
            seen += 1
            if not reached[frame, bin_]:
                reached[frame, bin_] = True
                turns[frame, bin_] = 0.0
                heap.append((-magnitude[frame, bin_], frame, bin_))
            continue
        most -= 1
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
    left = np.empty(len(heap), np.int64)
    for place, (_, n, m) in enumerate(heap):
        left[place] = n * bins + m
    return seen, left
