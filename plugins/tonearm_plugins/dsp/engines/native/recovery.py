"""Phase recovery by native kernels: the memory of one channel, and the calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np

from tonearm_plugins.dsp.engines.native import plgi_kernel
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, grid_tables
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import write_finish, write_iterations
from tonearm_plugins.dsp.engines.native.istft_kernel import ResultBlocks
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.engines.native.neighbours import Stretch, boundaries_of, iterate_all, stretches
from tonearm_plugins.dsp.engines.native.targets import LEAST_PIECE, NativeMagnitudeTarget, NativeMelTarget, NativeTarget
from tonearm_plugins.dsp.framing import MIN_WEIGHT_ESTIMATED, FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.initial_phases import white_noise
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.phase_gradient import gradient_factors, magnitude_floor
from tonearm_plugins.dsp.phase_recovery.targets import target_of
from tonearm_plugins.dsp.threads import free_threads, share_out, useful_threads
from tonearm_plugins.dsp.typing import Array, FloatArray, Int64Array

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.scipy import Spectra
    from tonearm_plugins.dsp.phase_recovery.recovery import Progress


class NativeRecovery:
    """Griffin-Lim on one channel, as `tonearm_plugins.dsp.engines.scipy.ScipyRecovery` does it.

    Parameters
    ----------
    given
        Magnitudes (bins, frames) or, with a basis, a mel spectrogram (mels, frames), real, in any memory order.
    grid
        The frames.
    basis
        The mel filter bank, if ``given`` is a mel spectrogram.
    machine
        Processor to compile for.
    threads
        Largest number of threads. Whatever it is, the result has the same bits.
    limit
        Largest number of threads that all channels have together; ``threads`` if None.
    """

    def __init__(
        self,
        given: Array,
        grid: FrameGrid,
        *,
        basis: MelBasis | None = None,
        machine: Machine | None = None,
        threads: int = 1,
        limit: int | None = None,
    ) -> None:
        self.machine = machine or this_machine()
        self.grid = grid
        self.layout = layout = BlockLayout(grid.n_fft, grid.hop_length, self.machine.lanes)
        self.tables = grid_tables(grid, layout, MIN_WEIGHT_ESTIMATED)
        self.blocks = layout.blocks(grid)
        self.threads, self.limit = threads, limit or threads
        self.given, self.basis = given, basis
        self.target: NativeTarget
        useful = self._useful_threads(1)
        if basis is None:
            self.target = NativeMagnitudeTarget(given, layout, self.blocks, threads=useful)
        else:
            self.target = NativeMelTarget(given, basis, layout, self.blocks, machine=self.machine, threads=useful)
        self.tiles = aligned(self.blocks + 1, layout.hop_length, layout.pitch)
        self.estimates = aligned(self.blocks + 1, layout.hop_length, layout.lanes)

    def initial_magnitudes(self) -> FloatArray:
        """Return the magnitudes to begin with, (frames, bins), for first phases that have no kernel of their own."""
        return target_of(self.given, self.basis).initial_magnitudes()

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""
        self._put_points(white_noise(self.grid, seed))
        self._iterate(1, Momentum(0.0))

    def start_from_spectra(self, spectra: Spectra) -> None:
        """Begin with the signal of spectra, which are asked for in blocks of frames."""
        from tonearm_plugins.dsp.engines.scipy import OverlapAdd

        columns = np.zeros((self.grid.columns, self.grid.hop_length), np.float32)

        def finish(first: int, complete: FloatArray) -> None:
            columns[first : first + len(complete)] = complete

        OverlapAdd(self.grid, min_weight=MIN_WEIGHT_ESTIMATED, dtype=np.float32, threads=self.threads)(spectra, finish)
        self._put_points(columns.reshape(-1))
        self.estimates[:-1] = self.tiles[1:, :, : self.layout.lanes]

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI."""
        grid = self.grid
        slope, bend = gradient_factors(grid)
        bins = np.arange(self.layout.bins)
        half_hop = grid.hop_length * bins % (2 * grid.n_fft) / (2 * grid.n_fft)
        magnitudes = self.target.initial_magnitudes()
        layout = self.layout
        run = self._kernel("plgi", lambda w: plgi_kernel.write(w, layout))
        run(
            run.scratch(),
            tiles=self.tiles,
            estimates=self.estimates,
            magnitudes=magnitudes,
            which=self.tables.weights.which,
            weights=self.tables.weights.values,
            synthesis=self.tables.synthesis,
            blocks=self.blocks,
            half_turns=np.stack([half_hop, bins % 2 / 2], axis=-1).astype(np.float32),
            slope=slope,
            bend=bend,
            floor=magnitude_floor(magnitudes),
        )

    def iterate(self, count: int, momentum: Momentum, progress: Progress | None = None) -> None:
        """Project ``count`` times, and report it to ``progress`` in steps: those of the first thread, which is this."""
        if count:
            self._iterate(count, momentum, progress)

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate from the target, and the energy of the target."""
        room = np.empty(self.layout.block, np.float32)
        return self._measure(np.full(self.blocks, room.ctypes.data))

    def finish(self, out: FloatArray) -> tuple[float, float]:
        """Write the signal to ``out`` (length,), and return the residual. The recovery cannot go on afterwards."""
        del self.tiles
        results = ResultBlocks(out, self.grid, self.layout)
        residual = self._measure(results.addresses)
        results.finish()
        return residual

    def _measure(self, results: Int64Array) -> tuple[float, float]:
        sums = np.empty((self.blocks, 2, self.layout.lanes), np.float32)
        run = self._kernel("finish", lambda w: write_finish(w, self.layout, self.target.code), self.target.key)

        def measure(first: int, last: int) -> None:
            run(
                run.scratch(),
                estimates=self.estimates[first:],
                **self.target.arguments(first),
                results=results[first:],
                sums=sums[first:],
                blocks=last - first,
                frames=self.grid.frames - first * self.layout.lanes,
                analysis=self.tables.analysis,
            )

        share_out(measure, self.blocks, self._useful_threads(1), least=LEAST_PIECE, limit=self.limit)
        distance, energy = sums.sum(axis=(0, 2), dtype=np.float64)
        return float(distance), float(energy)

    def _iterate(self, count: int, momentum: Momentum, progress: Progress | None = None) -> None:
        smooth = momentum.smoothing > 0 and self.basis is None
        run = self._kernel(
            "iterations",
            lambda w: write_iterations(w, self.layout, self.target.code, smooth=smooth),
            (self.target.key, smooth),
        )
        analysis = self.tables.analysis
        if smooth:
            analysis = analysis * np.float32(0.5 / math.sqrt(momentum.smoothing))  # the FFT doubles all spectra
        with free_threads(self._useful_threads(count), self.limit) as threads:
            parts = stretches(self.blocks, threads)
            boundaries = boundaries_of(parts, self.layout, self.tiles)
            iterate_all(
                [
                    Stretch(
                        run,
                        boundaries[number : number + 2],
                        count,
                        dict(
                            tiles=self.tiles[first:],
                            estimates=self.estimates[first:],
                            **self.target.arguments(first),
                            which=self.tables.weights.which[first:],
                            weights=self.tables.weights.values,
                            synthesis=self.tables.synthesis,
                            analysis=analysis,
                            blocks=last - first,
                            alpha=momentum.alpha,
                            from_projection=momentum.from_projection,
                            from_estimate=momentum.from_estimate,
                        ),
                        progress=None if number else progress,
                    )
                    for number, (first, last) in enumerate(parts)
                ]
            )

    def _useful_threads(self, passes: int) -> int:
        """Return the number of threads for some passes over all frames."""
        return useful_threads(self.threads, passes * self.grid.frames * self.grid.n_fft)

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
