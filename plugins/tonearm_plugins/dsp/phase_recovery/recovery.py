"""The course of every phase recovery: engine, channels, first signal, iterations, an early stop, what was reached."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.engines import librosa as peer
from tonearm_plugins.dsp.engines import scipy as blocked
from tonearm_plugins.dsp.engines.native import recovery as native
from tonearm_plugins.dsp.engines.native.block_layout import why_not
from tonearm_plugins.dsp.framing import FloatArray, FrameGrid
from tonearm_plugins.dsp.phase_recovery import plgi as phases
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.targets import KnownMagnitudes, KnownMel, MelBasis, Target

STARTS = ("random", "zero", "plgi", "pghi")

EXACT_DB = -200.0
"""The spectral convergence reported for no distance at all, and for silence recovered from silence."""

CHECK_EVERY = 4
"""Iterations between two looks at the convergence, where an early stop is asked for."""


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


@dataclass(frozen=True, kw_only=True)
class Course:
    """How to recover.

    Parameters
    ----------
    grid
        The frames.
    start, iterations, momentum, seed, tolerance_db, engine, threads
        As in `tonearm_plugins.dsp.griffin_lim.griffin_lim`.
    basis
        The filter bank, where mel spectrograms are given.
    """

    grid: FrameGrid
    start: str
    iterations: int
    momentum: float
    seed: int
    tolerance_db: float | None
    engine: str
    threads: int
    basis: MelBasis | None = None

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(f"start is one of {', '.join(STARTS)}, not {self.start!r}")
        if self.iterations < 0 or not 0 <= self.momentum < 1.1 or not (self.tolerance_db or 0) >= 0:
            raise ValueError(
                f"impossible settings: {self.iterations} iterations, momentum {self.momentum}, "
                f"tolerance_db {self.tolerance_db}"
            )
        self.grid.require_invertible()

    def run(self, given: npt.NDArray[Any]) -> Recovered:
        """Recover all channels of magnitudes or mel spectrograms, (channels, bins or mels, frames)."""
        engine = choose(self.engine, native_refusal=why_not(self.grid.n_fft, self.grid.hop_length))
        samples = np.empty((given.shape[0], self.grid.length), np.float32)

        def recover(channel: int) -> tuple[float, float, int]:
            one = {"native": self._native, "scipy": self._blocked, "librosa": self._librosa}[engine]
            return one(given[channel], samples[channel], self.seed + channel)

        channels = range(given.shape[0])
        if engine == "native" and self.threads > 1 and len(channels) > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                parts = list(pool.map(recover, channels))
        else:
            parts = [recover(channel) for channel in channels]
        distance, energy = (math.fsum(part[i] for part in parts) for i in (0, 1))
        return Recovered(
            samples=samples,
            spectral_convergence_db=convergence_db(distance, energy),
            iterations=max((part[2] for part in parts), default=0),
            engine=engine,
        )

    def _target(self, given: npt.NDArray[Any]) -> Target:
        return KnownMagnitudes(given) if self.basis is None else KnownMel(given, self.basis)

    def _blocked(self, given: npt.NDArray[Any], out: FloatArray, seed: int) -> tuple[float, float, int]:
        target = self._target(given)
        recovery = blocked.Recovery(target, self.grid, threads=self.threads)
        return self._iterated(recovery, target, out, seed)

    def _native(self, given: npt.NDArray[Any], out: FloatArray, seed: int) -> tuple[float, float, int]:
        recovery = native.Recovery(given, self.grid, basis=self.basis)
        # Starts without a kernel of their own are made by numpy, for which the target is wanted in its form, too.
        target = self._target(given) if self.start in ("zero", "pghi") else None
        return self._iterated(recovery, target, out, seed)

    def _iterated(
        self, recovery: blocked.Recovery | native.Recovery, target: Target | None, out: FloatArray, seed: int
    ) -> tuple[float, float, int]:
        if self.start == "random":
            recovery.start_from_noise(seed)
        elif self.start == "plgi":
            recovery.start_from_peaks()
        elif target is not None:
            magnitude = target.first_magnitudes()
            turns = phases.pghi(magnitude, self.grid, seed=seed) if self.start == "pghi" else None
            recovery.start_from_spectra(phases.spectra_with(magnitude, turns))
        done = iterate(recovery, self.iterations, Momentum.of(self.momentum), self.tolerance_db)
        return *recovery.finish(out), done

    def _librosa(self, given: npt.NDArray[Any], out: FloatArray, seed: int) -> tuple[float, float, int]:
        magnitude = np.asarray(given, np.float32)
        if self.basis is not None:
            magnitude = peer.mel_to_magnitude(magnitude, self.basis)
        out[:] = peer.griffin_lim(
            magnitude, self.grid, start=self.start, iterations=self.iterations, momentum=self.momentum, seed=seed
        )
        judge = blocked.Recovery(self._target(given), self.grid)
        signal = judge.estimate.reshape(-1)[self.grid.pad :]
        signal[: self.grid.length] = out[: signal.size]
        return *judge.residual(), self.iterations


def iterate(
    recovery: native.Recovery | blocked.Recovery, iterations: int, momentum: Momentum, tolerance_db: float | None
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
