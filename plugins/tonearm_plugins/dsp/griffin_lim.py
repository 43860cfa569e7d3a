"""Phase recovery: a waveform from magnitudes alone.

Griffin and Lim (1984) project in turn onto spectra with the given magnitudes and onto spectra that some signal has.
Fast Griffin-Lim (Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", 2013) goes on a little in the
direction of the last step. Since the STFT is linear, that momentum is applied here to signals, and no complex
spectrogram is kept. The first phases matter as much as the iterations; see `tonearm_plugins.dsp.phases`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import blocked, peer, phases
from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.framing import FrameGrid, clip_of
from tonearm_plugins.dsp.istft import require_bins, require_spectrogram

STARTS = ("random", "zero", "plgi", "pghi")

EXACT_DB = -200.0
"""The spectral convergence reported for no distance at all, and for silence recovered from silence."""

CHECK_EVERY = 4
"""Iterations between two looks at the convergence, where an early stop is asked for."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named choice of start, iterations and momentum."""

    start: str
    iterations: int
    momentum: float


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(start="plgi", iterations=8, momentum=0.99),
        "fast": Preset(start="plgi", iterations=16, momentum=0.99),
        "good": Preset(start="plgi", iterations=32, momentum=0.99),
        "best": Preset(start="plgi", iterations=128, momentum=0.99),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recovered:
    """What phase recovery gives.

    Parameters
    ----------
    samples
        (channels, length), float32.
    spectral_convergence_db
        The distance of the magnitudes of ``samples`` from those given, over the latter, in dB, all channels together.
    iterations
        How many were done: less than asked for after an early stop; the most of all channels.
    engine
        What did the work.
    """

    samples: npt.NDArray[np.float32]
    spectral_convergence_db: float
    iterations: int
    engine: str


def griffin_lim(
    magnitude: npt.NDArray[Any],
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    length: int | None = None,
    start: str = "plgi",
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
    tolerance_db: float | None = None,
    engine: str = "auto",
    threads: int = 1,
) -> Recovered:
    """Return a waveform whose STFT magnitudes are near to ``magnitude``.

    Parameters
    ----------
    magnitude
        (channels, bins, frames), real, linear, not negative.
    window, hop_length, pad, length
        As in `tonearm_plugins.dsp.istft.istft`.
    start
        The first phases: ``plgi`` (default), ``pghi``, ``random`` or ``zero``.
    iterations
        Pairs of projections after the first signal; 0 gives that signal.
    momentum
        0 is the method of 1984; it diverges from about 1.1 on.
    seed
        For the random phases of ``random``, and of the quietest bins with ``pghi``.
    tolerance_db
        Stop once four further iterations gain less than this.
    engine
        See `tonearm_plugins.dsp.engines`. ``librosa`` knows random and zero starts only: ``plgi`` and ``pghi`` are
        random there, and it does not stop early.
    threads
        How many may be used.
    """
    magnitude = require_spectrogram(magnitude, kinds="fiu")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=magnitude.shape[2], length=length)
    require_bins(magnitude, grid)
    grid.require_invertible()
    if start not in STARTS:
        raise ValueError(f"start is one of {', '.join(STARTS)}, not {start!r}")
    if iterations < 0 or not 0 <= momentum < 1.1 or (tolerance_db is not None and not tolerance_db >= 0):
        raise ValueError(
            f"impossible settings: {iterations} iterations, momentum {momentum}, tolerance_db {tolerance_db}"
        )
    engine = choose(engine, native_refusal="it is not built yet")
    samples = np.empty((magnitude.shape[0], grid.length), np.float32)
    distance = energy = 0.0
    done = 0
    for index, channel in enumerate(magnitude):
        frames = np.ascontiguousarray(channel.T, dtype=np.float32)
        recovery = blocked.Recovery(frames, grid, threads=threads)
        if engine == "librosa":
            signal = peer.griffin_lim(
                frames.T, grid, start=start, iterations=iterations, momentum=momentum, seed=seed + index
            )
            recovery.samples()[grid.pad : grid.pad + grid.length] = signal[: recovery.samples().size - grid.pad]
            samples[index] = signal
            count = iterations
        else:
            begin(recovery, start, seed=seed + index)
            count = iterate(recovery, iterations, blocked.Momentum(momentum), tolerance_db)
            samples[index] = clip_of(recovery.samples(), grid)
        residual = recovery.residual()
        distance, energy, done = distance + residual[0], energy + residual[1], max(done, count)
    return Recovered(
        samples=samples, spectral_convergence_db=convergence_db(distance, energy), iterations=done, engine=engine
    )


def begin(recovery: blocked.Recovery, start: str, *, seed: int) -> None:
    """Give the first signal of one channel."""
    magnitude, grid = recovery.magnitude, recovery.grid
    if start == "random":
        recovery.start_from_signal(noise(grid, seed))
    elif start == "plgi":
        recovery.start_from_spectra(phases.PeakLockedPhases(magnitude, grid))
    else:
        turns = phases.pghi(magnitude, grid, seed=seed) if start == "pghi" else None
        recovery.start_from_spectra(phases.spectra_with(magnitude, turns))


def noise(grid: FrameGrid, seed: int) -> npt.NDArray[np.float32]:
    """Return white noise on the padded time axis: its phases are as random as consistent phases can be."""
    samples = (grid.frames - 1) * grid.hop_length + grid.n_fft
    return np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)


def iterate(recovery: blocked.Recovery, iterations: int, momentum: blocked.Momentum, tolerance_db: float | None) -> int:
    """Iterate, with an early stop if a tolerance is given; return how many iterations were done."""
    if tolerance_db is None:
        recovery.iterate(iterations, momentum)
        return iterations
    done = 0
    before = convergence_db(*recovery.residual())
    while done < iterations:
        count = min(CHECK_EVERY, iterations - done)
        recovery.iterate(count, momentum)
        done += count
        now = convergence_db(*recovery.residual())
        if not before - now >= tolerance_db:
            break
        before = now
    return done


def convergence_db(distance: float, energy: float) -> float:
    """Return the spectral convergence in dB; see `EXACT_DB` for what has no logarithm."""
    if math.isnan(distance) or math.isnan(energy):
        return math.nan
    if distance == 0:
        return EXACT_DB
    return max(EXACT_DB, 10 * math.log10(distance / energy)) if energy > 0 else math.inf
