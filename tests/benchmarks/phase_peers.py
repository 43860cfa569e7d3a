"""Phase recovery by published methods, each in a few lines of NumPy, against the weights that tonearm's presets use.

All work on spectra X (frames, bins) with two projections: P_A gives them the known magnitudes, P_C makes them those of
a signal. Each takes one pair of projections an iteration, so equal counts take equal time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import evaluator
import harness
import material
import numpy as np

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.pghi import pghi
from tonearm_plugins.dsp.phase_recovery.plgi import PeakLockedPhases

SECONDS = 4
CLIPS = 3
COUNTS = (32, 128)
STARTS = ("random", "pghi", "plgi")
COLUMNS = ("method", *(f"{start}, {count}" for start in STARTS for count in COUNTS))
NOTE = (
    "In all of these tables: SC in dB by first phases and number of iterations: means over "
    f"{CLIPS} clips of {SECONDS} s. PESQ is that of {STARTS[-1]}, {COUNTS[0]}. Each iteration of each method is one"
    " pair of projections. The weights of AGLA, RAAR and ADMM are the best that were found here."
)
GRIDS = (
    (22_050, 1024, 256),
    (16_000, 512, 128),
)  # the second is that of the papers: 32 ms, overlapping by three quarters
MATERIAL = {"speech": material.speech, "music": material.music}


@dataclass(frozen=True)
class Problem:
    """The magnitudes of one clip, and the projections."""

    signal: np.ndarray
    sample_rate: int
    n_fft: int
    hop: int

    @cached_property
    def magnitude(self) -> np.ndarray:
        return np.abs(evaluator.spectra(self.signal, self.n_fft, self.hop)).astype(np.float32)

    @cached_property
    def grid(self) -> FrameGrid:
        return FrameGrid.checked(
            evaluator.hann(self.n_fft), hop_length=self.hop, pad=self.n_fft // 2, frames=len(self.magnitude),
            length=len(self.signal),
        ).centred  # fmt: skip

    @cached_property
    def weight(self) -> np.ndarray:
        return self._add(np.broadcast_to(evaluator.hann(self.n_fft) ** 2, (len(self.magnitude), self.n_fft)))

    def start(self, name: str, seed: int) -> np.ndarray:
        if name == "plgi":
            return PeakLockedPhases(self.magnitude, self.grid)(0, len(self.magnitude))
        if name == "pghi":
            turns = pghi(self.magnitude, self.grid, seed=seed) + np.arange(self.magnitude.shape[1]) % 2 / 2
        else:
            turns = np.random.default_rng(seed).random(self.magnitude.shape)
        return (self.magnitude * np.exp(2j * np.pi * turns)).astype(np.complex64)

    def known(self, x: np.ndarray) -> np.ndarray:
        """P_A: give spectra the known magnitudes."""
        return x * (self.magnitude / (np.abs(x) + np.float32(1e-20)))

    def consistent(self, x: np.ndarray) -> np.ndarray:
        """P_C: make spectra those of a signal."""
        return self.analyse(self.synthesise(x))

    def analyse(self, padded: np.ndarray) -> np.ndarray:
        import scipy.fft

        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        return scipy.fft.rfft(frames * evaluator.hann(self.n_fft).astype(np.float32), axis=1)

    def synthesise(self, x: np.ndarray) -> np.ndarray:
        """Return the signal on the padded axis, zero outside the clip."""
        import scipy.fft

        frames = scipy.fft.irfft(x, n=self.n_fft, axis=1) * evaluator.hann(self.n_fft).astype(np.float32)
        total = self._add(frames) / np.maximum(self.weight, 1e-3 * self.weight.max())
        total[: self.n_fft // 2] = total[self.n_fft // 2 + len(self.signal) :] = 0
        return total.astype(np.float32)

    def samples(self, x: np.ndarray) -> np.ndarray:
        return self.synthesise(x)[self.n_fft // 2 :][: len(self.signal)]

    def _add(self, frames: np.ndarray) -> np.ndarray:
        hop, overlap = self.hop, self.n_fft // self.hop
        columns = np.zeros((len(frames) + overlap - 1, hop))
        for r in range(overlap):
            columns[r : r + len(frames)] += frames[:, r * hop : (r + 1) * hop]
        return columns.reshape(-1)


Spectra = Iterator[np.ndarray]
Method = Callable[[Problem, np.ndarray], Spectra]
"""Yields, after each iteration, spectra whose signal is the result."""


def gla(problem: Problem, x: np.ndarray) -> Spectra:
    """Griffin and Lim, 1984."""
    while True:
        x = problem.known(problem.consistent(x))
        yield x


def inertial(alpha: float, gamma: float = 1.0, beta: float = 0.0, smoothing: float = 0.0) -> Method:
    """Return AGLA (Nenov et al., 2023), with a projection that may be smoothed; FGLA (2013) is ``gamma = 1``."""

    def method(problem: Problem, x: np.ndarray) -> Spectra:
        t = c = d = problem.consistent(x)
        scale = problem.magnitude * np.float32(np.sqrt(1 + smoothing))
        floor = smoothing * problem.magnitude**2 + np.float32(1e-30)
        while True:
            projected = problem.consistent(c * (scale / np.sqrt(c.real**2 + c.imag**2 + floor)))
            new = (1 - gamma) * d + gamma * projected
            c, d, t = new + alpha * (new - t), new + beta * (new - t), new
            yield t

    return method


def raar(problem: Problem, x: np.ndarray, beta: float = 0.9) -> Spectra:
    """Relaxed averaged alternating reflections (Luke, 2005; for speech Peer et al., 2022)."""
    while True:
        known = problem.known(x)
        mirrored = 2 * known - x
        x = beta / 2 * (x + 2 * problem.consistent(mirrored) - mirrored) + (1 - beta) * known
        yield problem.known(x)


def difference_map(problem: Problem, x: np.ndarray) -> Spectra:
    """The difference map with beta = 1 (Elser, 2003; for speech Peer et al., 2022)."""
    while True:
        known = problem.known(x)
        x = x + problem.consistent(2 * known - x) - known
        yield problem.known(x)


def hybrid(problem: Problem, x: np.ndarray, first: int = 16) -> Spectra:
    """The difference map for some iterations, then GLA (after Peer et al., 2022)."""
    mapped = difference_map(problem, x)
    for _ in range(first):
        x = next(mapped)
        yield x
    yield from gla(problem, x)


def admm(problem: Problem, x: np.ndarray, rho: float = 0.2) -> Spectra:
    """ADMM (Masuyama, Yatabe and Oikawa, 2019): a penalty for inconsistency, and a dual variable."""
    z, u = problem.consistent(x), np.zeros_like(x)
    while True:
        x = problem.known(z - u)
        v = x + u
        z = (rho * v + problem.consistent(v)) / (1 + rho)
        u = v - z
        yield x


def ours(momentum: float) -> Method:
    weights = Momentum.of(momentum)
    return inertial(weights.alpha, weights.gamma, smoothing=weights.smoothing)


METHODS: dict[str, Method] = {
    "GLA": gla,
    "FGLA, alpha 0.99": inertial(0.99),
    "AGLA, alpha 0.85, beta 0.6, gamma 1.35": inertial(0.85, 1.35, 0.6),
    "RAAR, beta 0.9": raar,
    "DM": difference_map,
    "DM × 16, then GLA": hybrid,
    "ADMM, rho 0.2": admm,
    "tonearm, momentum 0.99 (`fast`, `good`)": ours(0.99),
    "tonearm, momentum 1.02 (`best`)": ours(1.02),
}


def tables() -> Iterator[harness.Table]:
    note = NOTE
    for sample_rate, n_fft, hop in GRIDS:
        for kind in MATERIAL:
            problems = [Problem(clip, sample_rate, n_fft, hop) for clip in _clips(kind, sample_rate)]
            rows = tuple(_row(name, method, problems, kind) for name, method in METHODS.items())
            columns = (*COLUMNS, "PESQ") if kind == "speech" else COLUMNS
            title = f"{kind} at {sample_rate:,} Hz, n_fft {n_fft}, hop_length {hop}"
            yield harness.Table(title, columns, rows, note)
            note = ""


def _clips(kind: str, sample_rate: int) -> Iterator[np.ndarray]:
    import soxr

    whole, length = MATERIAL[kind](60), SECONDS * material.SAMPLE_RATE
    for number in range(CLIPS):
        begin = (2 * number + 1) * len(whole) // (2 * CLIPS)
        clip = whole[begin : begin + length]
        yield clip if sample_rate == material.SAMPLE_RATE else soxr.resample(clip, material.SAMPLE_RATE, sample_rate)


def _row(name: str, method: Method, problems: list[Problem], kind: str) -> tuple[str, ...]:
    distances, qualities = [], []
    for start in STARTS:
        for number, problem in enumerate(problems):
            iterates = enumerate(itertools.islice(method(problem, problem.start(start, number)), max(COUNTS)), 1)
            results = [problem.samples(x) for count, x in iterates if count in COUNTS]
            distances.append([
                evaluator.convergence_db(one, problem.signal, problem.n_fft, problem.hop) for one in results
            ])  # fmt: skip
            if kind == "speech" and start == STARTS[-1]:
                qualities.append(evaluator.pesq_wide_band(results[0], problem.signal, problem.sample_rate))
    means = np.mean(np.reshape(distances, (len(STARTS), len(problems), len(COUNTS))), axis=1)
    quality = [f"{np.mean(qualities):.2f}" if None not in qualities else ""] if qualities else []
    return (name, *(f"{one:.2f}" for one in means.ravel()), *quality)
