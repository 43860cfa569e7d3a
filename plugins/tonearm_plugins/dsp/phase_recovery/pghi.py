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
from tonearm_plugins.dsp.typing import Float32Array, FloatArray


def pghi(magnitude: FloatArray, grid: FrameGrid, *, seed: int, tolerance: float = 1e-6) -> Float32Array:
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
    threshold = np.fmax.reduce(magnitude, axis=None, initial=0.0) * tolerance
    del loudness
    order = np.argsort(-magnitude.ravel(), kind="stable")[: np.count_nonzero(magnitude > threshold)]
    _heap_integration()(magnitude, over_frames, over_bins, order, float(threshold), turns)
    return turns


@functools.cache
def _heap_integration() -> Callable[..., None]:
    """Return `_integrate_from_the_loudest`, compiled if numba is installed."""
    try:
        import numba
    except ImportError:
        return _integrate_from_the_loudest
    compiled: Callable[..., None] = numba.njit(_integrate_from_the_loudest)
    return compiled


def _integrate_from_the_loudest(
    magnitude: Any, over_frames: Any, over_bins: Any, order: Any, threshold: float, turns: Any
) -> None:
    """Spread phases to ``turns`` from each bin of ``order`` (loudest first) that is not reached yet."""
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
