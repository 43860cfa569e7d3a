"""Phase recovery by native kernels: the memory of one channel, and the calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import blocked
from tonearm_plugins.dsp.acceleration import Momentum
from tonearm_plugins.dsp.framing import LEAST_ESTIMATED, FloatArray, FrameGrid
from tonearm_plugins.dsp.native import iteration, locking
from tonearm_plugins.dsp.native.blocks import Clip, Layout
from tonearm_plugins.dsp.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.native.inverse import Results
from tonearm_plugins.dsp.native.writer import Writer
from tonearm_plugins.dsp.phases import gradient_factors, magnitude_floor, noise

KERNELS: Mapping[str, Callable[[Writer, Layout], None]] = {
    "iterations": iteration.write_iterations,
    "finish": iteration.write_finish,
    "locking": locking.write,
}


class Recovery:
    """Griffin-Lim on one channel by native kernels; does what `tonearm_plugins.dsp.blocked.Recovery` does.

    Parameters
    ----------
    magnitude
        (bins, frames), float32, in any order.
    grid
        The frames.
    machine
        What to make code for.
    """

    def __init__(self, magnitude: npt.NDArray[np.float32], grid: FrameGrid, *, machine: Machine | None = None) -> None:
        self.machine = machine or this_machine()
        self.grid = grid
        self.layout = layout = Layout(grid.n_fft, grid.hop_length, self.machine.lanes)
        self.clip = Clip(grid, layout, LEAST_ESTIMATED)
        self.blocks = layout.blocks(grid)
        self.magnitudes = magnitude_blocks(magnitude, layout, self.blocks)
        self.tiles = aligned(self.blocks + 1, layout.hop_length, layout.pitch)
        self.estimates = aligned(self.blocks + 1, layout.hop_length, layout.lanes)

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""
        self._put_points(noise(self.grid, seed))
        self._iterate(1, Momentum(0.0))

    def start_from_turns(self, magnitude: npt.NDArray[Any], turns: npt.NDArray[np.float32] | None) -> None:
        """Begin with these phases, in turns, (frames, bins); None is zero at the first sample of each frame."""
        first = blocked.Recovery(magnitude, self.grid)
        first.start_from_turns(turns)
        self._put_points(first.estimate.reshape(-1))
        self.estimates[:-1] = self.tiles[1:, :, : self.layout.lanes]

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI; see `tonearm_plugins.dsp.phases`."""
        grid = self.grid
        slope, bend = gradient_factors(grid)
        bins = np.arange(self.layout.bins)
        half_hop = grid.hop_length * bins % (2 * grid.n_fft) / (2 * grid.n_fft)
        run = self._kernel("locking")
        run(
            run.scratch(),
            tiles=self.tiles,
            estimates=self.estimates,
            magnitudes=self.magnitudes,
            which=self.clip.weights.which,
            weights=self.clip.weights.values,
            synthesis=self.clip.synthesis,
            blocks=self.blocks,
            half_turns=np.stack([half_hop, bins % 2 / 2], axis=-1).astype(np.float32),
            slope=slope,
            bend=bend,
            floor=magnitude_floor(self.magnitudes),
        )

    def iterate(self, count: int, momentum: Momentum) -> None:
        """Project ``count`` times."""
        if count:
            self._iterate(count, momentum)

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate's magnitudes from the given ones, and the latter's energy."""
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
        run = self._kernel("finish")
        run(
            run.scratch(),
            estimates=self.estimates,
            magnitudes=self.magnitudes,
            results=results,
            sums=sums,
            blocks=self.blocks,
            frames=self.grid.frames,
            analysis=self.clip.analysis,
        )
        distance, energy = sums.sum(axis=1)
        return float(distance), float(energy)

    def _iterate(self, count: int, momentum: Momentum) -> None:
        run = self._kernel("iterations")
        run(
            run.scratch(),
            tiles=self.tiles,
            estimates=self.estimates,
            magnitudes=self.magnitudes,
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

    def _kernel(self, name: str) -> Kernel:
        def make() -> Kernel:
            return Kernel(self.machine, lambda writer: KERNELS[name](writer, self.layout), self.layout.tables())

        return compiled((name, self.layout, self.machine), make)

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


def magnitude_blocks(magnitude: npt.NDArray[Any], layout: Layout, blocks: int) -> npt.NDArray[np.float32]:
    """Return (bins, frames) as blocks; before and after them in memory is one of zeros."""
    lanes, frames = layout.lanes, magnitude.shape[1]
    whole = frames // lanes
    result = aligned(blocks + 2, layout.bins + 1, lanes)[1:]
    parts = magnitude[:, : whole * lanes].reshape(layout.bins, whole, lanes)
    result[:whole, : layout.bins] = parts.transpose(1, 0, 2)
    if frames % lanes:
        result[whole, : layout.bins, : frames % lanes] = magnitude[:, whole * lanes :]
    return result
