"""The kernels of Griffin-Lim: any number of iterations, and the measurement of their result.

One iteration takes each block of frames from samples to samples while it is in the cache: window, FFT, projection
onto the target, inverse FFT, overlap-add, momentum. No spectrum is ever stored. `tonearm_plugins.dsp.engines.scipy` has
the same in NumPy, and `block_layout` describes the memory.
"""

from __future__ import annotations

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, OverlapAdd, TileAddress
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.istft_kernel import prefetch_row, write_in_time_order
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer, address
from tonearm_plugins.dsp.engines.native.neighbours import Exchange
from tonearm_plugins.dsp.engines.native.targets import WriteTarget


class Analysis:
    """Writes the analysis of a block: the window, then the forward FFT."""

    def __init__(self, writer: Writer, layout: BlockLayout, tile_index: Memory) -> None:
        self.layout = layout
        self.window, self.tile_index = writer.memory("analysis"), tile_index

    def forward(self, fft: RealFFT, tile: Memory) -> None:
        """Write the forward FFT of a tile."""
        place = TileAddress(fft, self.layout, self.tile_index)
        fft.forward(lambda begin, offset: tile[place(begin, offset)] * self.window.splat(begin + offset))


class RecoveryState:
    """The signals of a recovery in memory, as the arguments of a kernel.

    ``tiles`` has the signal that the next iteration analyses, ``estimates`` the latest result. The first tile is spare
    room, so that every block has one before it, and so is the last block of estimates.
    """

    def __init__(self, writer: Writer, layout: BlockLayout, *, tiles: bool = True) -> None:
        self.layout = layout
        self.estimates = writer.memory("estimates")
        if tiles:
            self.tiles = writer.memory("tiles")

    def tile(self, block: Int) -> Memory:
        """Return the tile of a block."""
        return self.tiles.part((block + 1) * self.layout.tile)

    def estimate(self, block: Int) -> Memory:
        """Return the estimates of a block."""
        return self.estimates.part(block * self.layout.block)

    def put(self, tile: Memory, before: Memory, row: Int, point: Vec) -> None:
        """Store a row of a tile, and its first columns in the halo of the tile before."""
        layout = self.layout
        at = row * layout.pitch
        tile[at] = point
        if layout.halo:
            before.put_short(at + layout.lanes, point.first(layout.halo), layout.halo)


def write_iterations(writer: Writer, layout: BlockLayout, write_target: WriteTarget, *, smooth: bool) -> None:
    """Write the kernel that iterates on the blocks of one thread; see `neighbours` for what its arguments mean.

    It returns early if neighbours do not get on, and goes on from the iteration ``start`` when it is called again.
    """
    state = RecoveryState(writer, layout)
    target = write_target(writer, layout)
    which, weights = writer.memory("which"), writer.memory("weights")
    synthesis, tile_index = writer.memory("synthesis"), writer.memory("tile_index")
    blocks, start, iterations = (writer.int_argument(name) for name in ("blocks", "start", "iterations"))
    exchange = Exchange(writer, layout)
    analysis = Analysis(writer, layout, tile_index)
    alpha, from_projection, from_estimate = (
        writer.float_argument(name) for name in ("alpha", "from_projection", "from_estimate")
    )
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    overlap = OverlapAdd(writer, layout, synthesis, tile_index)
    last = state.tile(blocks - 1)
    with writer.loop(iterations) as turn:
        iteration = start + turn
        exchange.begin(iteration, last)
        overlap.clear()
        with writer.loop(blocks + exchange.has_before) as n:
            block = n - exchange.has_before
            tile = exchange.tile(block, state.tile(block))
            analysis.forward(fft, tile)
            target.project(fft, block, smooth=smooth)
            written = exchange.result(block, tile)
            before_it = exchange.tile_before(block, state.tile(block - 1))
            estimate = exchange.result(block, state.estimate(block))
            weight = weights.part(which.int64(block))

            def step(
                row: Int,
                result: Vec,
                tile: Memory = tile,
                written: Memory = written,
                before_it: Memory = before_it,
                estimate: Memory = estimate,
                weight: Memory = weight,
            ) -> None:
                at = row * layout.lanes
                estimate.part(at + layout.block).prefetch()
                prefetch_row(tile.part(row * layout.pitch + layout.tile), 4 * layout.pitch)
                before = estimate[at]
                result = result * weight[at] * from_projection + before * from_estimate
                estimate[at] = result
                state.put(written, before_it, row, result + (result - before) * alpha)

            overlap.finish(fft, step)
            with writer.when(block.not_below(0)):
                exchange.give_first(iteration, block, tile)
        exchange.give_last(iteration, last)


def write_finish(writer: Writer, layout: BlockLayout, write_target: WriteTarget) -> None:
    """Write the kernel that copies the estimate to the result, and measures its distance from the target."""
    state = RecoveryState(writer, layout, tiles=False)
    target = write_target(writer, layout)
    results = writer.memory("results")
    sums = writer.memory("sums")  # for each block, in each lane: squared distance, then energy
    tile_index = writer.memory("tile_index")
    blocks, frames = writer.int_argument("blocks"), writer.int_argument("frames")
    analysis = Analysis(writer, layout, tile_index)
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    tile = writer.scratch(layout.tile + layout.lanes)
    partial = writer.scratch(2 * layout.lanes)
    lanes = layout.lanes
    zero = writer.constant(0.0)
    with writer.loop(blocks) as block:
        estimate, following = state.estimate(block), state.estimate(block + 1)
        with writer.loop(layout.hop_length) as row:
            tile[row * layout.pitch] = estimate[row * lanes]
            if layout.halo:
                halo = following[row * lanes].first(layout.halo)
                tile.put_short(row * layout.pitch + lanes, halo, layout.halo)
        partial[0] = partial[lanes] = zero
        analysis.forward(fft, tile)
        target.residual(fft, block, partial)
        is_frame = (writer.lane_numbers() + (block * lanes).lanes32()).below(frames.lanes32())
        for at in (0, lanes):
            sums[block * (2 * lanes) + at] = is_frame.choose(partial[at], zero)
        write_in_time_order(writer, layout, estimate, address(results.int64(block)))
