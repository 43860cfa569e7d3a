"""Phase recovery: a waveform from magnitudes alone.

Griffin and Lim (1984) project in turn onto spectra with the given magnitudes and onto spectra that some signal has.
Fast Griffin-Lim (Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", 2013) goes on a little in the
direction of the last step, and its accelerated form (`tonearm_plugins.dsp.acceleration`) a little better. Since the
STFT is linear, that momentum is applied here to signals, and no complex spectrogram is kept. The first phases matter
as much as the iterations; see `tonearm_plugins.dsp.phases`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import blocked, peer, phases
from tonearm_plugins.dsp.acceleration import Momentum
from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.framing import FloatArray, FrameGrid
from tonearm_plugins.dsp.istft import require_bins, require_spectrogram
from tonearm_plugins.dsp.native.blocks import why_not
from tonearm_plugins.dsp.native.recovery import Recovery

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
        "best": Preset(start="pghi", iterations=128, momentum=1.02),
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
        0 is the method of 1984; see `tonearm_plugins.dsp.acceleration.Momentum.of`. It diverges from about 1.1 on.
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
    engine = choose(engine, native_refusal=why_not(grid.n_fft, grid.hop_length))
    samples = np.empty((magnitude.shape[0], grid.length), np.float32)

    def recover(index: int) -> tuple[float, float, int]:
        channel, out = magnitude[index], samples[index]
        if engine == "librosa":
            return _by_librosa(channel, grid, out, start, iterations, momentum, seed + index)
        native = engine == "native"
        recovery = Recovery(channel, grid) if native else blocked.Recovery(channel, grid, threads=threads)
        begin(recovery, channel, start, seed + index)
        done = iterate(recovery, iterations, Momentum.of(momentum), tolerance_db)
        return *recovery.finish(out), done

    with ThreadPoolExecutor(max(1, threads)) as pool:
        run = pool.map if engine == "native" and threads > 1 else map
        parts = list(run(recover, range(magnitude.shape[0])))
    distance, energy = (math.fsum(part[i] for part in parts) for i in (0, 1))
    done = max((part[2] for part in parts), default=0)
    return Recovered(
        samples=samples, spectral_convergence_db=convergence_db(distance, energy), iterations=done, engine=engine
    )


def begin(recovery: Recovery | blocked.Recovery, magnitude: npt.NDArray[Any], start: str, seed: int) -> None:
    """Give the first signal of one channel, (bins, frames)."""
    grid = recovery.grid
    if start == "random":
        recovery.start_from_noise(seed)
        return
    if start == "plgi":
        recovery.start_from_peaks()
        return
    frames = np.ascontiguousarray(magnitude.T, dtype=np.float32)
    turns = phases.pghi(frames, grid, seed=seed) if start == "pghi" else None
    if isinstance(recovery, Recovery):
        recovery.start_from_turns(magnitude, turns)
    else:
        recovery.start_from_turns(turns)


def iterate(
    recovery: Recovery | blocked.Recovery, iterations: int, momentum: Momentum, tolerance_db: float | None
) -> int:
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


def _by_librosa(
    magnitude: npt.NDArray[Any],
    grid: FrameGrid,
    out: FloatArray,
    start: str,
    iterations: int,
    momentum: float,
    seed: int,
) -> tuple[float, float, int]:
    frames = np.asarray(magnitude, dtype=np.float32)
    out[:] = peer.griffin_lim(frames, grid, start=start, iterations=iterations, momentum=momentum, seed=seed)
    judge = blocked.Recovery(frames, grid)
    signal = judge.estimate.reshape(-1)[grid.pad :]
    signal[: grid.length] = out[: signal.size]
    return *judge.residual(), iterations
