"""The STFT kernel: from samples to spectra, (bins, frames) with adjacent frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, compiled, this_machine
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import Analysis
from tonearm_plugins.dsp.engines.native.istft_kernel import COMPLEX, prefetch_row
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer, address
from tonearm_plugins.dsp.engines.native.vector_math import transposed
from tonearm_plugins.dsp.framing import Ends, FrameGrid, with_ends
from tonearm_plugins.dsp.threads import share_slices, useful_threads
from tonearm_plugins.dsp.typing import Complex64Array, FloatArray

STRETCH = 1 << 20
"""Samples that are analysed, at least, between two reports of progress: some ten milliseconds of work."""


def write(writer: Writer, layout: BlockLayout) -> None:
    """Write the kernel."""
    sources = writer.memory("sources")  # for each block: where its first sample is
    # For each block, in bytes: where its first bin goes, and how far apart bins are; the entry after them is fetched.
    results = writer.memory("results")
    tile_index = writer.memory("tile_index")
    blocks = writer.int_argument("blocks")
    analysis = Analysis(writer, layout, tile_index)
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    tile = writer.scratch(layout.tile + layout.lanes)
    lanes = layout.lanes
    in_turn = [lane for pair in zip(range(lanes), range(lanes, 2 * lanes), strict=True) for lane in pair]
    with writer.loop(blocks) as block:
        fill_tile(writer, layout, address(sources.int64(block)), tile)
        first, step = address(results.int64(block * 2)), results.int64(block * 2 + 1)
        following, following_step = address(results.int64(block * 2 + 2)), results.int64(block * 2 + 3)

        def put(
            k: Number,
            x: Complex,
            first: Memory = first,
            step: Int = step,
            following: Memory = following,
            following_step: Int = following_step,
        ) -> Complex:
            row, ahead, x = first.bytes_on(step * k), following.bytes_on(following_step * k), x.scaled(0.5)
            prefetch_row(ahead, lanes * COMPLEX.itemsize, to_write=True)
            row[0] = x.re.shuffle(x.im, in_turn[:lanes])
            row[lanes] = x.re.shuffle(x.im, in_turn[lanes:])
            return x

        analysis.forward(fft, tile)
        fft.bins(put, result="nothing")


def fill_tile(writer: Writer, layout: BlockLayout, samples: Memory, tile: Memory) -> None:
    """Write columns, which are consecutive in time, side by side into a tile: a transposition, square by square.

    Samples may be in single precision where the kernel works in double precision.
    """
    lanes, hop = layout.lanes, layout.hop_length

    def load(column: int, row: Number) -> Vec:
        value = samples[column * hop + row]
        return value if value.kind == writer.kind else value.cast("fpext", writer.kind)

    def square(row: Number) -> None:
        own = transposed([load(column, row) for column in range(lanes)])
        # LLVM leaves out what is not stored.
        after = transposed([load(lanes + min(column, layout.halo - 1), row) for column in range(lanes)])
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


def _kernel(layout: BlockLayout, machine: Machine) -> Kernel:
    """Return the compiled kernel."""

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, layout), layout.tables())

    return compiled(("stft", layout, machine), make)


def stft(
    signal: FloatArray,
    grid: FrameGrid,
    *,
    out: Complex64Array,
    ends: Ends | None = None,
    machine: Machine | None = None,
    threads: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Analyse one channel into ``out`` (bins, frames), whose frames must be adjacent; ``ends`` are as for engines."""
    machine = machine or this_machine()
    layout = BlockLayout(grid.n_fft, grid.hop_length, machine.lanes)
    lanes, blocks = layout.lanes, -(-grid.frames // layout.lanes)
    sources = SourceBlocks(np.ascontiguousarray(signal, np.float32), layout, blocks, ends)
    whole = grid.frames // lanes
    last = np.empty((layout.bins, lanes), COMPLEX)
    results = np.empty((blocks + 1, 2), np.int64)
    results[:, 0] = out.ctypes.data + np.arange(blocks + 1) * lanes * out.itemsize
    results[:, 1] = out.strides[0]
    results[whole:] = last.ctypes.data, last.strides[0]
    run = _kernel(layout, machine)
    window = grid.window.astype(np.float32)

    def analyse(first: int, last: int) -> None:
        run(
            run.scratch(),
            sources=sources.addresses[first:last],
            results=results[first:],
            blocks=last - first,
            analysis=window,
        )

    def report(_: int, last: int, __: None) -> None:
        if on_progress:
            on_progress(min(last * lanes, grid.frames))

    threads = useful_threads(threads, grid.frames * grid.n_fft)
    share_slices(analyse, report, blocks, threads, size=-(-STRETCH // layout.block))
    out[:, whole * lanes :] = last[:, : grid.frames - whole * lanes]


class SourceBlocks:
    """The samples of each block, with the halo after it: in the signal, or a copy where they reach beyond its ends.

    Parameters
    ----------
    signal
        (samples,), contiguous. It must live as long as the addresses are used.
    layout
        The sizes of blocks.
    blocks
        Number of blocks.
    ends
        Samples before and after it, with zeros after them.
    """

    def __init__(self, signal: FloatArray, layout: BlockLayout, blocks: int, ends: Ends | None = None) -> None:
        block, size = layout.block, layout.block + layout.halo_samples
        before = ends[0].size if ends else 0
        begins = block * np.arange(blocks, dtype=np.int64)
        first = min(-(-before // block), blocks)
        last = min(max(first, (before + signal.size - size) // block + 1), blocks)  # those between lie in the signal
        self.addresses = signal.ctypes.data + signal.itemsize * (begins - before)
        self.rooms = []
        for part in (slice(first), slice(last, blocks)):
            if part.start != part.stop and part.stop:
                begin = begins[part][0]
                room = with_ends(signal, ends, begin=int(begin), end=int(begins[part][-1]) + size)
                self.addresses[part] = room.ctypes.data + room.itemsize * (begins[part] - begin)
                self.rooms.append(room)
