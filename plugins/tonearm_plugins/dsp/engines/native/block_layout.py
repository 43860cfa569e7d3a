"""The layout of frames, samples and weights in the memory of the kernels.

A block is ``lanes`` consecutive frames, and the ``lanes`` columns of ``hop_length`` samples that begin with them.
Within a block the lane is always the last axis:

magnitudes
    [bin][lane], a row of zeros after the last bin.
weights, estimates
    [row][lane]: sample ``row`` of each column.
tiles
    [row][pitch]: the same, and a halo of columns after the last lane, so that the samples of frame ``lane`` at ``r``
    hops and ``row`` are at ``[row][lane + r]``: one unaligned vector for all frames.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tonearm_plugins.dsp.engines.native.compiler import Machine, aligned, refusal, this_machine
from tonearm_plugins.dsp.engines.native.fft import RealFFT, Samples, radices
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.typing import Array, BoolArray, Float32Array

Number = Int | int


def size_refusal(n_fft: int, hop_length: int, machine: Machine | None = None) -> str:
    """Return why the native engine cannot do frames of this size, or an empty text if it can."""
    reason = refusal()
    if reason:
        return reason
    lanes = (machine or this_machine()).lanes
    if n_fft % 8 or radices(n_fft // 2, hop_length, lanes) is None:
        return f"it has no FFT of {n_fft} points (8 times powers of 2, 3 and 5, from 32 on)"
    if hop_length < lanes:
        return f"a hop_length of {hop_length} is less than its {lanes} lanes"
    if -(-n_fft // hop_length) - 1 > lanes:
        return f"more than {lanes + 1} frames overlap"
    return ""


@dataclass(frozen=True)
class BlockLayout:
    """The sizes of blocks.

    Parameters
    ----------
    n_fft
        Samples of a frame.
    hop_length
        Samples from one frame to the next.
    lanes
        Frames in a block.
    """

    n_fft: int
    hop_length: int
    lanes: int

    @property
    def bins(self) -> int:
        """Bins of a frame."""
        return self.n_fft // 2 + 1

    @property
    def overlap(self) -> int:
        """Largest number of frames that cover one sample."""
        return -(-self.n_fft // self.hop_length)

    @property
    def halo(self) -> int:
        """Columns of a tile after its own ones."""
        return -(-(self.overlap - 1) // 4) * 4

    @property
    def pitch(self) -> int:
        """Numbers in one row of a tile."""
        return self.lanes + self.halo

    @property
    def tile(self) -> int:
        """Numbers in a tile."""
        return self.hop_length * self.pitch

    @property
    def block(self) -> int:
        """Samples in a block."""
        return self.hop_length * self.lanes

    @property
    def halo_samples(self) -> int:
        """Samples of the halo, which follow those of a block."""
        return self.halo * self.hop_length

    def blocks(self, grid: FrameGrid) -> int:
        """Return the number of blocks of a signal: those of all columns that its frames reach."""
        return -(-grid.columns // self.lanes)

    def outside(self, grid: FrameGrid) -> BoolArray:
        """Return, for each block, whether it lies outside the signal: (blocks,)."""
        begin = np.arange(self.blocks(grid)) * self.block
        outside: BoolArray = (begin + self.block <= grid.pad) | (begin >= grid.pad + grid.length)
        return outside

    def tables(self) -> dict[str, Array]:
        """Return the constant arguments of every kernel of this size."""
        n = np.arange(self.n_fft)
        return {
            **RealFFT.tables(self.n_fft, self.hop_length, self.lanes),
            "tile_index": n % self.hop_length * self.pitch + n // self.hop_length,
        }


class InverseWeights:
    """1 / (sum of squared windows) for each block.

    All blocks in the middle share one table, all blocks outside the signal share one of zeros, and each block at an
    edge has its own.

    Parameters
    ----------
    grid, layout
        The frames.
    min_weight
        See `FrameGrid.inverse_weight`.
    """

    def __init__(self, grid: FrameGrid, layout: BlockLayout, min_weight: float) -> None:
        lanes, blocks = layout.lanes, layout.blocks(grid)
        begin, end = grid.pad, grid.pad + grid.length
        first = np.arange(blocks) * lanes
        steady = (first >= grid.overlap - 1) & (first + lanes <= grid.frames)
        steady &= (first * grid.hop_length >= begin) & ((first + lanes) * grid.hop_length <= end)
        outside = layout.outside(grid)
        edges = np.flatnonzero(~steady & ~outside)
        self.nothing = layout.block
        """Where the weights of a block outside the signal are."""
        self.which = outside.astype(np.int64)
        self.which[edges] = 2 + np.arange(edges.size)
        self.which *= layout.block
        self.values = aligned(2 + edges.size, grid.hop_length, lanes)
        self.values[0] = (1 / grid.steady)[:, None]
        for row, block in zip(self.values[2:], edges, strict=True):
            row[:] = grid.inverse_weight(int(block) * lanes, (int(block) + 1) * lanes, min_weight).T


class TileAddress:
    """Writes the position of samples of a frame in a tile.

    Parameters
    ----------
    fft, layout
        The FFT, which takes and gives the samples, and the sizes of its blocks.
    tile_index
        Position of each sample, for sizes where a table is needed.
    """

    def __init__(self, fft: RealFFT, layout: BlockLayout, tile_index: Memory) -> None:
        self.layout, self.tile_index = layout, tile_index
        self.regular = layout.hop_length % fft.step == 0
        """Whether all samples of one butterfly that are whole hops apart are in one row."""

    def __call__(self, begin: Int, offset: int) -> Int:
        """Return the position of sample ``begin + offset``, see `RealFFT.forward`."""
        if not self.regular:
            return self.tile_index.int64(begin + offset)
        column, row = divmod(offset, self.layout.hop_length)
        return begin * self.layout.pitch + (row * self.layout.pitch + column)


class OverlapAdd:
    """Writes overlap-add, from the last pass of the inverse FFT to the complete rows of a block.

    Parameters
    ----------
    writer, layout
        The function, and the sizes of its blocks.
    window
        The synthesis window over n_fft, which undoes the scale of the inverse FFT.
    tile_index
        Position of each sample of a frame in a tile.
    """

    def __init__(self, writer: Writer, layout: BlockLayout, window: Memory, tile_index: Memory) -> None:
        self.writer, self.layout = writer, layout
        self.window, self.tile_index = window, tile_index
        self.total = writer.scratch(layout.tile + layout.lanes)

    def clear(self) -> None:
        """Begin anew, without the rest of earlier frames."""
        with self.writer.loop(-(-self.layout.tile // self.layout.lanes)) as i:
            self.total[i * self.layout.lanes] = self.writer.constant(0.0)

    def finish(self, fft: RealFFT, finish: Callable[[Int, Vec], None]) -> None:
        """Write the last pass of the inverse FFT; ``finish(row, samples)`` takes each row of complete columns once.

        Rows come in any order. Incomplete columns wait for the next block.
        """
        place = TileAddress(fft, self.layout, self.tile_index)
        if place.regular:
            fft.inverse(lambda begin, samples: self._add_rows(begin, samples, finish))
            return

        def add(begin: Int, samples: Samples) -> None:
            for offset, value in samples.items():
                at = place(begin, offset)
                self.total[at] = self.total[at] + value * self.window.splat(begin + offset)

        fft.inverse(add)
        with self.writer.loop(self.layout.hop_length) as row:
            finish(row, self._taken(row))

    def _add_rows(self, begin: Int, samples: Samples, finish: Callable[[Int, Vec], None]) -> None:
        """Complete the rows that one butterfly has all samples of, in registers; see `TileAddress.regular`.

        Sample ``n + r hop`` of all frames belongs r columns further than sample n. So it is rotated: the lanes that
        come round are the first columns of the next block.
        """
        hop, lanes, halo = self.layout.hop_length, self.layout.lanes, self.layout.halo
        for offset in sorted(samples):
            if offset >= hop:
                break
            row = begin + offset
            total = samples[offset] * self.window.splat(row)
            rest = self.writer.constant(0.0)
            if halo:
                total = total + self.total.short(row * halo, halo)
            for column, further in enumerate(range(offset + hop, self.layout.n_fft, hop), 1):
                value = samples[further] * self.window.splat(begin + further)
                value = value.shuffle(value, [(lane - column) % lanes for lane in range(lanes)])
                total = self.writer.mask(range(column, lanes)).choose(total + value, total)
                rest = self.writer.mask(range(column)).choose(rest + value, rest)
            if halo:
                self.total.put_short(row * halo, rest.first(halo), halo)
            finish(row, total)

    def _taken(self, row: Int) -> Vec:
        """Return a row of complete columns, and move the incomplete ones to their place for the next block."""
        lanes, halo = self.layout.lanes, self.layout.halo
        at = row * self.layout.pitch
        complete = self.total[at]
        if halo:
            rest = self.total[at + lanes].shuffle(self.writer.constant(0.0), [*range(halo), *[lanes] * (lanes - halo)])
            self.total[at] = rest
            self.total.put_short(at + lanes, "zeroinitializer", halo)
        else:
            self.total[at] = self.writer.constant(0.0)
        return complete


@dataclass(frozen=True)
class GridTables:
    """The tables of one grid that several kernels need; see `grid_tables`."""

    grid: FrameGrid
    layout: BlockLayout
    min_weight: float

    @cached_property
    def weights(self) -> InverseWeights:
        """The weights of the blocks."""
        return InverseWeights(self.grid, self.layout, self.min_weight)

    @cached_property
    def analysis(self) -> Float32Array:
        """The analysis window: (n_fft,)."""
        return self.grid.window.astype(np.float32)

    @cached_property
    def synthesis(self) -> Float32Array:
        """The window over n_fft: (n_fft,)."""
        return (self.grid.window / self.grid.n_fft).astype(np.float32)


@functools.lru_cache(maxsize=16)
def grid_tables(grid: FrameGrid, layout: BlockLayout, min_weight: float) -> GridTables:
    """Return the tables of a grid, which signals of one length share."""
    return GridTables(grid, layout, min_weight)
