"""Phase recovery by native kernels: the memory of one channel, and the calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines import scipy as blocked
from tonearm_plugins.dsp.engines.native import plgi_kernel as locking
from tonearm_plugins.dsp.engines.native.block_layout import Layout, clip_on
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import write_finish, write_iterations
from tonearm_plugins.dsp.engines.native.istft_kernel import Results
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.engines.native.targets import Aim, MagnitudeAim, MelAim, write_first_magnitudes
from tonearm_plugins.dsp.framing import LEAST_ESTIMATED, FloatArray, FrameGrid
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.plgi import gradient_factors, magnitude_floor, noise
from tonearm_plugins.dsp.phase_recovery.targets import MelBasis, mel_floor


class Goal(Protocol):
    """What a recovery aims at, as the kernels want it."""

    @property
    def key(self) -> Hashable:
        """What tells its kernels from those of other goals."""

    def make_aim(self, writer: Writer, layout: Layout) -> Aim:
        """Return the writer of its steps."""

    def arguments(self) -> dict[str, Any]:
        """Return what the kernels of the aim are called with."""

    def first_magnitudes(self) -> npt.NDArray[np.float32]:
        """Return blocks of magnitudes to begin with."""


class MagnitudeGoal:
    """Known magnitudes: (bins, frames), real."""

    key = "magnitudes"

    def __init__(self, magnitude: npt.NDArray[Any], layout: Layout, blocks: int) -> None:
        self.magnitudes = in_blocks(magnitude, layout.bins + 1, layout, blocks)

    def make_aim(self, writer: Writer, layout: Layout) -> Aim:
        """Return the writer of its steps."""
        return MagnitudeAim(writer, layout)

    def arguments(self) -> dict[str, Any]:
        """Return the magnitudes."""
        return {"magnitudes": self.magnitudes}

    def first_magnitudes(self) -> npt.NDArray[np.float32]:
        """Return the magnitudes."""
        return self.magnitudes


class MelGoal:
    """A known mel spectrogram: (mels, frames), real."""

    def __init__(
        self, mel: npt.NDArray[Any], basis: MelBasis, layout: Layout, blocks: int, *, machine: Machine
    ) -> None:
        self.basis, self.layout, self.blocks, self.machine = basis, layout, blocks, machine
        self.mel = in_blocks(mel, len(mel), layout, blocks)
        self.bands, self.band_weights = band_tables(basis)
        self.key = ("mel", len(mel), basis.power)

    def make_aim(self, writer: Writer, layout: Layout) -> Aim:
        """Return the writer of its steps."""
        return MelAim(writer, layout, bands=len(self.bands), power=self.basis.power)

    def arguments(self) -> dict[str, Any]:
        """Return the mel spectrogram and the filter bank."""
        return {
            "mel": self.mel,
            "bands": self.bands,
            "band_weights": self.band_weights,
            "mel_floor": mel_floor(self.mel),
        }

    def first_magnitudes(self) -> npt.NDArray[np.float32]:
        """Return the magnitudes to begin with."""
        layout, count, power = self.layout, len(self.bands), self.basis.power

        def make() -> Kernel:
            return Kernel(self.machine, lambda w: write_first_magnitudes(w, layout, bands=count, power=power), {})

        run = compiled(("first magnitudes", self.key, layout, self.machine), make)
        result = aligned(self.blocks + 2, layout.bins + 1, layout.lanes)[1:]
        run(run.scratch(), magnitudes=result, blocks=self.blocks, **self.arguments())
        return result


@functools.lru_cache(maxsize=4)
def band_tables(basis: MelBasis) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the tables that `tonearm_plugins.dsp.engines.native.targets.MelAim` describes."""
    bands, pairs, begin = [], [], 0
    for weights, shares in zip(basis.weights, basis.shares, strict=True):
        inside = np.flatnonzero(weights)
        first, last = (inside[0], inside[-1] + 1) if inside.size else (0, 1)
        bands.append((first, last - first, begin))
        pairs.append(np.stack([weights[first:last], shares[first:last]], axis=-1))
        begin += last - first
    return np.array(bands, np.int64), np.concatenate(pairs).astype(np.float32)


class Recovery:
    """Griffin-Lim on one channel by native kernels; does what `tonearm_plugins.dsp.engines.scipy.Recovery` does.

    Parameters
    ----------
    given
        (bins, frames) or, with a basis, (mels, frames); real, in any order of memory.
    grid
        The frames.
    basis
        The mel filter bank, if ``given`` is a mel spectrogram.
    machine
        What to make code for.
    """

    def __init__(
        self,
        given: npt.NDArray[Any],
        grid: FrameGrid,
        *,
        basis: MelBasis | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.machine = machine or this_machine()
        self.grid = grid
        self.layout = layout = Layout(grid.n_fft, grid.hop_length, self.machine.lanes)
        self.clip = clip_on(grid, layout, LEAST_ESTIMATED)
        self.blocks = layout.blocks(grid)
        self.goal: Goal
        if basis is None:
            self.goal = MagnitudeGoal(given, layout, self.blocks)
        else:
            self.goal = MelGoal(given, basis, layout, self.blocks, machine=self.machine)
        self.tiles = aligned(self.blocks + 1, layout.hop_length, layout.pitch)
        self.estimates = aligned(self.blocks + 1, layout.hop_length, layout.lanes)

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""
        self._put_points(noise(self.grid, seed))
        self._iterate(1, Momentum(0.0))

    def start_from_spectra(self, spectra: Callable[[int, int], blocked.ComplexArray]) -> None:
        """Begin with the signal of spectra, asked for as `tonearm_plugins.dsp.engines.scipy.OverlapAdd` does."""
        columns = np.zeros((self.grid.columns, self.grid.hop_length), np.float32)

        def finish(first: int, complete: FloatArray) -> None:
            columns[first : first + len(complete)] = complete

        blocked.OverlapAdd(self.grid, least=LEAST_ESTIMATED, dtype=np.float32, threads=1)(spectra, finish)
        self._put_points(columns.reshape(-1))
        self.estimates[:-1] = self.tiles[1:, :, : self.layout.lanes]

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI; see `tonearm_plugins.dsp.phase_recovery.plgi`."""
        grid = self.grid
        slope, bend = gradient_factors(grid)
        bins = np.arange(self.layout.bins)
        half_hop = grid.hop_length * bins % (2 * grid.n_fft) / (2 * grid.n_fft)
        magnitudes = self.goal.first_magnitudes()
        layout = self.layout
        run = self._kernel("locking", lambda w: locking.write(w, layout))
        run(
            run.scratch(),
            tiles=self.tiles,
            estimates=self.estimates,
            magnitudes=magnitudes,
            which=self.clip.weights.which,
            weights=self.clip.weights.values,
            synthesis=self.clip.synthesis,
            blocks=self.blocks,
            half_turns=np.stack([half_hop, bins % 2 / 2], axis=-1).astype(np.float32),
            slope=slope,
            bend=bend,
            floor=magnitude_floor(magnitudes),
        )

    def iterate(self, count: int, momentum: Momentum) -> None:
        """Project ``count`` times."""
        if count:
            self._iterate(count, momentum)

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate from the goal, and the goal's own energy."""
        room = np.empty(self.layout.block, np.float32)
        return self._look(np.full(self.blocks, room.ctypes.data))

    def finish(self, out: FloatArray) -> tuple[float, float]:
        """Write the clip to ``out`` and return the residual; there is no going on afterwards."""
        del self.tiles
        results = Results(out, self.grid, self.layout)
        residual = self._look(results.addresses)
        results.finish()
        return residual

    def _look(self, results: npt.NDArray[np.int64]) -> tuple[float, float]:
        sums = np.zeros((2, self.layout.lanes))
        run = self._kernel("finish", lambda w: write_finish(w, self.layout, self.goal.make_aim), self.goal.key)
        run(
            run.scratch(),
            estimates=self.estimates,
            **self.goal.arguments(),
            results=results,
            sums=sums,
            blocks=self.blocks,
            frames=self.grid.frames,
            analysis=self.clip.analysis,
        )
        distance, energy = sums.sum(axis=1)
        return float(distance), float(energy)

    def _iterate(self, count: int, momentum: Momentum) -> None:
        run = self._kernel("iterations", lambda w: write_iterations(w, self.layout, self.goal.make_aim), self.goal.key)
        run(
            run.scratch(),
            tiles=self.tiles,
            estimates=self.estimates,
            **self.goal.arguments(),
            which=self.clip.weights.which,
            weights=self.clip.weights.values,
            synthesis=self.clip.synthesis,
            analysis=self.clip.analysis,
            blocks=self.blocks,
            iterations=count,
            alpha=momentum.alpha,
            gamma=momentum.gamma,
            from_estimate=momentum.from_estimate,
            from_point=momentum.from_point,
        )

    def _kernel(self, name: str, write: Callable[[Writer], None], key: Hashable = None) -> Kernel:
        return compiled(
            (name, key, self.layout, self.machine), lambda: Kernel(self.machine, write, self.layout.tables())
        )

    def _put_points(self, signal: FloatArray) -> None:
        layout = self.layout
        own = self.tiles[1:, :, : layout.lanes]
        signal = signal[: self.blocks * layout.block]
        whole = signal.size // layout.block
        shape = (layout.lanes, layout.hop_length)
        own[:whole] = signal[: whole * layout.block].reshape(whole, *shape).transpose(0, 2, 1)
        if whole < self.blocks:
            rest = np.zeros(layout.block, np.float32)
            rest[: signal.size - whole * layout.block] = signal[whole * layout.block :]
            own[whole] = rest.reshape(shape).T
        if layout.halo:
            self.tiles[1:-1, :, layout.lanes :] = own[1:, :, : layout.halo]


def in_blocks(frames: npt.NDArray[Any], rows: int, layout: Layout, blocks: int) -> npt.NDArray[np.float32]:
    """Return (rows, frames) as blocks of at least as many rows; before and after them in memory is one of zeros."""
    lanes = layout.lanes
    given, count = frames.shape
    whole = count // lanes
    result = aligned(blocks + 2, rows, lanes)[1:]
    inside = frames[:, : whole * lanes]
    if inside.dtype == np.float32 and inside.dtype.isnative and inside.strides[1] == inside.itemsize:
        # One element for all lanes: moved whole, two to three times as fast as number by number.
        together = np.dtype((np.void, lanes * inside.itemsize))
        result[:whole, :given].view(together)[..., 0] = inside.view(together).T
    else:
        result[:whole, :given] = inside.reshape(given, whole, lanes).transpose(1, 0, 2)
    if count % lanes:
        result[whole, :given, : count % lanes] = frames[:, whole * lanes :]
    return result
