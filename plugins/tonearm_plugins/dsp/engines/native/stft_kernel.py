"""The STFT kernel: from samples to spectra, (bins, frames) with adjacent frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import Analysis
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Writer, address
from tonearm_plugins.dsp.engines.native.vector_math import transposed
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.typing import Complex64Array, FloatArray

STRETCH = 1 << 20
"""Samples that are analysed, at least, between two reports of progress: some ten milliseconds of work."""


def write(writer: Writer, layout: BlockLayout) -> None:
    """Write the kernel."""
    samples = writer.memory("samples")  # on the padded time axis, and as many after them as the last halo wants
    results = writer.memory("results")  # for each block, in bytes: where its first bin goes, and how far apart bins are
    tile_index = writer.memory("tile_index")
    blocks = writer.int_argument("blocks")
    analysis = Analysis(writer, layout, tile_index)
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    tile = writer.scratch(layout.tile + layout.lanes)
    lanes = layout.lanes
    in_turn = [lane for pair in zip(range(lanes), range(lanes, 2 * lanes), strict=True) for lane in pair]
    with writer.loop(blocks) as block:
        _fill(writer, layout, samples.part(block * layout.block), tile)
        first, step = address(results.int64(block * 2)), results.int64(block * 2 + 1)

        def put(k: Number, x: Complex, first: Memory = first, step: Int = step) -> Complex:
            row, x = first.bytes_on(step * k), x.scaled(0.5)
            row[0] = x.re.shuffle(x.im, in_turn[:lanes])
            row[lanes] = x.re.shuffle(x.im, in_turn[lanes:])
            return x

        analysis.forward(fft, tile)
        fft.bins(put, result="nothing")


def _fill(writer: Writer, layout: BlockLayout, samples: Memory, tile: Memory) -> None:
    """Write columns, which are consecutive in time, side by side into a tile: a transposition, square by square."""
    lanes, hop = layout.lanes, layout.hop_length

    def square(row: Number) -> None:
        own = transposed([samples[column * hop + row] for column in range(lanes)])
        after = transposed([samples[(lanes + min(column, layout.halo)) * hop + row] for column in range(lanes)])
        for i in range(lanes):
            at = (row + i) * layout.pitch
            tile[at] = own[i]
            if layout.halo:
                tile.put_short(at + lanes, after[i].first(layout.halo), layout.halo)

    with writer.loop(hop // lanes) as i:
        square(i * lanes)
    if hop % lanes:
        square(hop - lanes)


# ---- calling it ----


def stft(
    signal: FloatArray,
    grid: FrameGrid,
    *,
    out: Complex64Array,
    machine: Machine | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Analyse one channel on the padded time axis into ``out`` (bins, frames), whose frames must be adjacent."""
    machine = machine or this_machine()
    layout = BlockLayout(grid.n_fft, grid.hop_length, machine.lanes)
    lanes, blocks = layout.lanes, -(-grid.frames // layout.lanes)
    samples = aligned((blocks + 2) * layout.block)
    samples[: signal.size] = signal
    whole = grid.frames // lanes
    last = np.empty((layout.bins, lanes), np.complex64)
    results = np.empty((blocks, 2), np.int64)
    results[:, 0] = out.ctypes.data + np.arange(blocks) * lanes * out.itemsize
    results[:, 1] = out.strides[0]
    results[whole:] = last.ctypes.data, last.strides[0]

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, layout), layout.tables())

    run = compiled(("stft", layout, machine), make)
    scratch, window = run.scratch(), grid.window.astype(np.float32)
    for part in block_slices(blocks, -(-STRETCH // layout.block)):
        run(
            scratch,
            samples=samples[part.start * layout.block :],
            results=results[part],
            blocks=part.stop - part.start,
            analysis=window,
        )
        if on_progress:
            on_progress(min(part.stop * lanes, grid.frames))
    out[:, whole * lanes :] = last[:, : grid.frames - whole * lanes]
