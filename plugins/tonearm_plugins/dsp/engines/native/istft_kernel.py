"""The ISTFT kernel: from spectra, read in place in either memory order, to samples, written in place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tonearm_plugins.dsp import not_finite
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number, OverlapAdd, grid_tables
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled, this_machine
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer, address
from tonearm_plugins.dsp.engines.native.vector_math import transposed
from tonearm_plugins.dsp.framing import MIN_WEIGHT_EXACT, FrameGrid, copy_into
from tonearm_plugins.dsp.mapped_memory import RELEASE_BYTES, MappedMemory
from tonearm_plugins.dsp.threads import share_slices, useful_threads
from tonearm_plugins.dsp.typing import Array, Complex64Array, FloatArray, Int32Array, Int64Array

COMPLEX = np.dtype(np.complex64)
CACHE_LINE = 64
CONVERTED = 2**20  # bytes of a spectrum that are converted at once
LEAST_STRETCH = 16  # blocks that a thread inverts at once, beside the one before them


def write(writer: Writer, layout: BlockLayout, *, frames_apart: bool) -> None:
    """Write the kernel.

    Parameters
    ----------
    writer, layout
        The function, and the sizes of its blocks.
    frames_apart
        Memory order: whether the bins of one frame are adjacent and frames are apart, as ``librosa.stft`` gives them.
        Otherwise the frames of one bin are adjacent, and bins are apart.
    """
    # For each block, in bytes: where its first bin of its first frame is, and how far apart frames (or bins) are.
    sources = writer.memory("sources")
    results = writer.memory("results")  # for each block: where its samples go
    which, weights = writer.memory("which"), writer.memory("weights")
    window, tile_index = writer.memory("window"), writer.memory("tile_index")
    peak = writer.memory("peak", "i32")  # of each lane: that by which the values are searched, then that of the samples
    blocks = writer.int_argument("blocks")
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    overlap = OverlapAdd(writer, layout, window, tile_index)
    finished = writer.scratch(layout.block)
    read = (_FramesApart if frames_apart else _BinsApart)(writer, layout, sources)

    def bin_of(k: Number, x: Complex) -> Complex:
        value = read.bin(k, x)
        if isinstance(k, int) and k in (0, layout.bins - 1):  # whose imaginary parts the FFT ignores
            compare_peak(peak, value.im)
        return value

    with writer.loop(blocks) as block:
        read.begin(block)
        fft.bins(bin_of, source="nothing")
        # Point 0 of an inverse FFT is the sum of all others, which is finite only if all are.
        total = fft.first_point()
        compare_peak(peak, total.re, total.im)
        weight = weights.part(which.int64(block))

        def finish(row: Int, samples: Vec, weight: Memory = weight) -> None:
            finished[row * layout.lanes] = samples * weight[row * layout.lanes]
            read.fetch(row)

        overlap.finish(fft, finish)
        read.fetch_rest()
        write_in_time_order(writer, layout, finished, address(results.int64(block)), peak.part(layout.lanes))


def write_in_time_order(
    writer: Writer, layout: BlockLayout, rows: Memory, result: Memory, peak: Memory | None = None
) -> None:
    """Write samples [row][lane] to one column after the other: a transposition, square by square.

    If there is a ``peak``, it is compared with the samples.
    """
    lanes, hop = layout.lanes, layout.hop_length

    def square(row: Number) -> None:
        columns = transposed([rows[(row + i) * lanes] for i in range(lanes)])
        if peak is not None:
            compare_peak(peak, *columns)
        for lane, column in enumerate(columns):
            result[row + lane * hop] = column

    with writer.loop(hop // lanes) as i:
        square(i * lanes)
    if hop % lanes:
        square(hop - lanes)


def prefetch_row(row: Memory, size: int, *, to_write: bool = False) -> None:
    """Fetch the cache lines of a row of some bytes that the same row of the block before has not touched.

    Rows are far apart, so no processor guesses the next one.
    """
    for byte in range(CACHE_LINE - 1, size, CACHE_LINE):
        row.bytes_on(byte).prefetch(to_write=to_write)


def compare_peak(peak: Memory, *values: Vec) -> None:
    """Write the comparison of values with the largest one so far, in each lane, which is not finite if one of them is.

    The bits of floats without their sign have the order of their values, and those of NaN are above those of infinity.
    """
    most = peak[0]
    for value in values:
        size = value.cast("bitcast", "i32") & 0x7FFFFFFF
        most = most.below(size).choose(size, most)
    peak[0] = most


class _BinsApart:
    """Reads a block whose frames are adjacent: a bin is a row of complex numbers, real and imaginary parts in turn.

    A few bins of the next block are fetched for each row of samples of this one, so memory and arithmetic work at the
    same time.
    """

    def __init__(self, writer: Writer, layout: BlockLayout, sources: Memory) -> None:
        self.writer, self.layout, self.sources = writer, layout, sources
        self.at_once, self.rest = divmod(layout.bins, layout.hop_length)

    def begin(self, block: Int) -> None:
        self.first, self.step = address(self.sources.int64(block * 2)), self.sources.int64(block * 2 + 1)
        self.next, self.next_step = address(self.sources.int64(block * 2 + 2)), self.sources.int64(block * 2 + 3)

    def bin(self, k: Number, _: Complex) -> Complex:
        lanes, row = self.layout.lanes, self.first.bytes_on(self.step * k)
        low, high = row[0], row[lanes]
        return Complex(low.shuffle(high, range(0, 2 * lanes, 2)), low.shuffle(high, range(1, 2 * lanes, 2)))

    def fetch(self, row: Int) -> None:
        """Fetch the bins that come with a row of samples."""
        for i in range(self.at_once):
            self._fetch_bin(row * self.at_once + i)

    def fetch_rest(self) -> None:
        """Fetch the bins that come with none."""
        if self.rest:
            with self.writer.loop(self.rest) as i:
                self._fetch_bin(i + (self.layout.bins - self.rest))

    def _fetch_bin(self, k: Int) -> None:
        prefetch_row(self.next.bytes_on(self.next_step * k), self.layout.lanes * COMPLEX.itemsize)


class _FramesApart:
    """Reads a block whose bins are adjacent: transposes it first, square by square.

    As above, some of the next block is fetched for each row of samples of this one.
    """

    def __init__(self, writer: Writer, layout: BlockLayout, sources: Memory) -> None:
        self.writer, self.layout, self.sources = writer, layout, sources
        self.lines = -(-layout.bins * COMPLEX.itemsize // CACHE_LINE)  # of a frame
        self.at_once = -(-self.lines * layout.lanes // layout.hop_length)
        self.stage = writer.scratch(layout.bins * 2 * layout.lanes)  # for each bin a real, then an imaginary register

    def begin(self, block: Int) -> None:
        bins, at_once = self.layout.bins, self.layout.lanes // 2
        first, step = address(self.sources.int64(block * 2)), self.sources.int64(block * 2 + 1)
        self.next, self.next_step = address(self.sources.int64(block * 2 + 2)), self.sources.int64(block * 2 + 3)

        def square(k: Number) -> None:
            rows = [first.bytes_on(step * lane)[k * 2] for lane in range(self.layout.lanes)]
            for i, column in enumerate(transposed(rows)):
                self.stage[(k * 2 + i) * self.layout.lanes] = column

        with self.writer.loop(bins // at_once) as i:
            square(i * at_once)
        if bins % at_once:
            square(bins - at_once)

    def bin(self, k: Number, _: Complex) -> Complex:
        lanes = self.layout.lanes
        return Complex(self.stage[k * (2 * lanes)], self.stage[k * (2 * lanes) + lanes])

    def fetch(self, row: Int) -> None:
        """Fetch the cache lines that come with a row of samples; the last few may be those of the block after next."""
        for i in range(self.at_once):
            line = row * self.at_once + i
            frame = line // self.lines
            self.next.bytes_on(self.next_step * frame + (line - frame * self.lines) * CACHE_LINE).prefetch()

    def fetch_rest(self) -> None:
        """Fetch nothing more."""


# ---- calling it ----


def kernel(layout: BlockLayout, machine: Machine, *, frames_apart: bool) -> Kernel:
    """Return the compiled kernel."""

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, layout, frames_apart=frames_apart), layout.tables())

    return compiled(("istft", layout, machine, frames_apart), make)


def istft(
    spectrum: Array,
    grid: FrameGrid,
    *,
    out: FloatArray,
    machine: Machine | None = None,
    threads: int = 1,
    require_finite: bool = False,
    on_peak: Callable[[float], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Invert one channel (bins, frames), mapped or not, into ``out`` (length,), float32 and contiguous.

    Arrays of complex64 with adjacent frames or adjacent bins are read in place. Others are converted, a stretch of
    frames at a time. With several threads, each stretch begins with the block before it, for the sums that go on.
    """
    machine = machine or this_machine()
    layout = BlockLayout(grid.n_fft, grid.hop_length, machine.lanes)
    tables = grid_tables(grid, layout, MIN_WEIGHT_EXACT)
    native = spectrum.dtype == COMPLEX and spectrum.dtype.isnative
    frames_apart = native and spectrum.strides[0] == COMPLEX.itemsize and spectrum.strides[1] >= 0
    in_place = native and (frames_apart or (spectrum.strides[1] == COMPLEX.itemsize and spectrum.strides[0] >= 0))
    run = kernel(layout, machine, frames_apart=frames_apart)
    blocks = max(1, min(layout.blocks(grid), -(-(grid.pad + grid.length) // layout.block)))  # none after the signal
    mapping = MappedMemory(spectrum)
    block_size = layout.bins * layout.lanes * COMPLEX.itemsize
    results = ResultBlocks(out, grid, layout)
    peak = aligned(2, layout.lanes).view(np.int32)
    threads = useful_threads(threads, grid.frames * grid.n_fft)
    scratch = run.scratch() if threads == 1 else None

    def invert(first: int, last: int) -> Int32Array:
        begin = first if scratch is not None else max(0, first - 1)
        part = spectrum[:, begin * layout.lanes : last * layout.lanes]
        if not in_place:
            part = np.ascontiguousarray(part, dtype=COMPLEX)
        sources, kept = _sources(part, layout, last - begin, frames_apart=frames_apart)
        addresses, which = results.addresses[begin:last].copy(), tables.weights.which[begin:last].copy()
        addresses[: first - begin], which[: first - begin] = results.nowhere, tables.weights.nothing
        found = aligned(2, layout.lanes).view(np.int32)
        run(
            run.scratch() if scratch is None else scratch,
            sources=sources,
            results=addresses,
            which=which,
            weights=tables.weights.values,
            window=tables.synthesis,
            peak=found,
            blocks=last - begin,
        )
        del kept
        return found

    def finish(first: int, last: int, found: Int32Array) -> None:
        np.maximum(peak, found, out=peak)
        mapping.count_read((last - first) * block_size)
        if on_progress:
            on_progress(min(last * layout.lanes, grid.frames))

    size = max(1, (RELEASE_BYTES if in_place else CONVERTED) // block_size)
    share_slices(invert, finish, blocks, threads, size=size, least=LEAST_STRETCH)
    if require_finite:
        # Only frames after the end of the signal are left to search, unless a sum says that something is wrong: it may
        # also be too large for a float.
        begin = blocks * layout.lanes if np.isfinite(peak[0].view(np.float32)).all() else 0
        not_finite.require_finite(spectrum[:, begin:])
    mapping.release()
    results.finish()
    if on_peak:
        on_peak(float(peak[1].max().view(np.float32)))


def _sources(
    part: Complex64Array, layout: BlockLayout, blocks: int, *, frames_apart: bool
) -> tuple[Int64Array, list[Array]]:
    """Return the address and the step of each block, and the arrays that must be kept alive meanwhile.

    A block that is not whole is copied. There is one more entry than blocks, for what is fetched ahead.
    """
    lanes = layout.lanes
    whole = part.shape[1] // lanes
    nothing = np.zeros(max(layout.bins, lanes), COMPLEX)
    sources = np.zeros((blocks + 1, 2), np.int64)
    sources[:, 0] = nothing.ctypes.data
    apart = part.strides[1 if frames_apart else 0]
    sources[:whole, 0] = part.ctypes.data + np.arange(whole) * lanes * part.strides[1]
    sources[:whole, 1] = apart
    kept: list[Array] = [part, nothing]
    if part.shape[1] % lanes:
        last = np.zeros((layout.bins, lanes), COMPLEX, order="F" if frames_apart else "C")
        last[:, : part.shape[1] % lanes] = part[:, whole * lanes :]
        sources[whole] = last.ctypes.data, last.strides[1 if frames_apart else 0]
        kept.append(last)
    return sources, kept


class ResultBlocks:
    """The place of each block: in the result, or for blocks at its edges in room of their own."""

    def __init__(self, out: FloatArray, grid: FrameGrid, layout: BlockLayout) -> None:
        self.out = out
        blocks, size = layout.blocks(grid), layout.block
        self.begins = np.arange(blocks, dtype=np.int64) * size - grid.pad  # in samples of the result
        inside = (self.begins >= 0) & (self.begins + size <= out.size)
        outside = layout.outside(grid)
        self.edges = np.flatnonzero(~inside & ~outside)
        self.room = np.empty((self.edges.size + 1, size), np.float32)  # the last is for samples outside the result
        self.addresses = out.ctypes.data + 4 * self.begins
        self.addresses[self.edges] = self.room.ctypes.data + 4 * size * np.arange(self.edges.size)
        self.nowhere = self.room[-1:].ctypes.data
        self.addresses[outside] = self.nowhere

    def finish(self) -> None:
        """Copy the blocks at the edges into the result, and zero the samples that no frame reaches."""
        for block, samples in zip(self.edges, self.room[:-1], strict=True):
            copy_into(self.out, int(self.begins[block]), samples)
        self.out[max(0, int(self.begins[-1]) + self.room.shape[1]) :] = 0
