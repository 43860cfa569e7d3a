"""The kernel of mel spectrograms: from samples to bands in one go, in double precision. No spectrum is stored.

A logarithm shows what single precision rounds away next to loud bins. So a register has half as many frames as those of
other kernels, of twice the size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number, size_refusal
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, compiled, this_machine
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.griffin_lim_kernel import Analysis
from tonearm_plugins.dsp.engines.native.istft_kernel import prefetch_row
from tonearm_plugins.dsp.engines.native.llvm_writer import Memory, Vec, Writer, address
from tonearm_plugins.dsp.engines.native.stft_kernel import STRETCH, SourceBlocks, fill_tile
from tonearm_plugins.dsp.engines.native.targets import squared
from tonearm_plugins.dsp.framing import Ends
from tonearm_plugins.dsp.threads import share_slices, useful_threads
from tonearm_plugins.dsp.typing import Array, Float64Array, FloatArray, Int64Array

LEAST_LANES = 4


@dataclass(frozen=True)
class MelForm:
    """What a kernel is written for, apart from the sizes of its blocks.

    Parameters
    ----------
    bands
        Number of bands.
    power
        1 for sums of magnitudes, 2 for sums of powers.
    source
        Kind of the samples: ``float`` or ``double``.
    remove_dc
        Whether the mean of each frame is subtracted.
    preemphasis
        Whether part of each sample is subtracted from the next one, frame by frame.
    """

    bands: int
    power: int
    source: str
    remove_dc: bool
    preemphasis: bool


def machine_of_doubles(machine: Machine | None = None) -> Machine:
    """Return the machine with as many lanes as there are in registers of double precision."""
    machine = machine or this_machine()
    return Machine(machine.cpu, machine.features, max(LEAST_LANES, machine.lanes // 2))


def mel_refusal(n_fft: int, hop_length: int) -> str:
    """Return why there is no kernel for frames of this size, or an empty text if there is one."""
    return size_refusal(n_fft, hop_length) or size_refusal(n_fft, hop_length, machine_of_doubles())


def write(writer: Writer, layout: BlockLayout, form: MelForm) -> None:
    """Write the kernel."""
    lanes = layout.lanes
    sources = writer.memory("sources")  # for each block: where its first sample is
    # For each block, in bytes: where its first band goes, and how far apart bands are; the entry after them is fetched.
    results = writer.memory("results")
    bands, weights = writer.memory("bands"), writer.memory("weights")
    figures = writer.memory("figures")
    tile_index = writer.memory("tile_index")
    blocks = writer.int_argument("blocks")
    analysis = Analysis(writer, layout, tile_index)
    conditioning = _Conditioning(writer, layout, analysis, form) if form.remove_dc or form.preemphasis else None
    fft = RealFFT(writer, layout.n_fft, layout.hop_length)
    tile = writer.scratch(layout.tile + lanes)
    sizes = writer.scratch((layout.bins + 1) * lanes)
    guard = figures.splat(0)

    def store(k: Number, x: Complex) -> Complex:
        size = squared(x) * 0.25 + guard
        sizes[k * lanes] = size if form.power == 2 else size.sqrt()
        return x

    with writer.loop(blocks) as block:
        fill_tile(writer, layout, address(sources.int64(block), form.source), tile)
        if conditioning:
            conditioning.forward(fft, tile, figures)
        else:
            analysis.forward(fft, tile)
        fft.bins(store, result="nothing")
        first, step = address(results.int64(block * 2)), results.int64(block * 2 + 1)
        following, following_step = address(results.int64(block * 2 + 2)), results.int64(block * 2 + 3)
        with writer.loop(form.bands) as band:
            prefetch_row(following.bytes_on(following_step * band), lanes * 8, to_write=True)
            begin, count, at = (bands.int64(band * 3 + i) for i in range(3))
            with writer.carrying(count, writer.constant(0.0)) as (i, (total,)):
                total.value = total.value + sizes[(begin + i) * lanes] * weights.splat(at + i)
            first.bytes_on(step * band)[0] = total.value


class _Conditioning:
    """Writes what is done to each frame before its window."""

    def __init__(self, writer: Writer, layout: BlockLayout, analysis: Analysis, form: MelForm) -> None:
        self.writer, self.layout, self.analysis, self.form = writer, layout, analysis, form
        self.before = writer.memory("before")  # where the sample before each one is in a tile
        self.first, self.count = writer.int_argument("first"), writer.int_argument("count")
        self.frames = writer.scratch(layout.n_fft * layout.lanes)

    def forward(self, fft: RealFFT, tile: Memory, figures: Memory) -> None:
        """Write the conditioned frames side by side, then their forward FFT."""
        writer, lanes, frames = self.writer, self.layout.lanes, self.frames
        here = self.analysis.tile_index
        mean = self._mean(tile) * figures.splat(2) if self.form.remove_dc else writer.constant(0.0)
        with writer.loop(self.layout.n_fft) as n:
            frames[n * lanes] = writer.constant(0.0)
        with writer.loop(self.count) as i:
            n = self.first + i
            value = tile[here.int64(n)] - mean
            if self.form.preemphasis:
                value = value - (tile[self.before.int64(n)] - mean) * figures.splat(1)
            frames[n * lanes] = value * self.analysis.window.splat(n)
        fft.forward(lambda begin, offset: frames[(begin + offset) * lanes])

    def _mean(self, tile: Memory) -> Vec:
        """Return the sum over each frame."""
        with self.writer.carrying(self.count, self.writer.constant(0.0)) as (i, (total,)):
            total.value = total.value + tile[self.analysis.tile_index.int64(self.first + i)]
        return total.value


# ---- calling it ----


def _kernel(layout: BlockLayout, machine: Machine, form: MelForm) -> Kernel:
    """Return the compiled kernel."""

    def make() -> Kernel:
        return Kernel(machine, lambda writer: write(writer, layout, form), layout.tables(), kind="double")

    return compiled(("mel", layout, machine, form), make)


def mel_bands(
    signal: FloatArray,
    *,
    ends: Ends | None = None,
    window: Float64Array,
    inside: slice,
    hop_length: int,
    basis: SparseBasis,
    power: int,
    magnitude_guard: float,
    preemphasis: float,
    remove_dc: bool,
    out: Float64Array,
    machine: Machine | None = None,
    threads: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Analyse one channel into ``out`` (mels, frames), whose frames must be adjacent.

    Parameters
    ----------
    signal
        (samples,), float32 or float64 and contiguous.
    ends
        Samples before and after it, with zeros after them; without them, it is all of the padded time axis.
    window
        ``n_fft`` values.
    inside
        Samples of a frame that are conditioned; the others are taken as 0.
    hop_length, power, magnitude_guard
        As in `tonearm_plugins.dsp.mel_spectrogram.mel_spectrogram`.
    basis
        The filter bank.
    preemphasis, remove_dc
        Conditioning of each frame.
    out
        Result.
    machine
        Processor to compile for.
    threads
        Largest number of threads.
    on_progress
        Function called with the number of frames that are done.
    """
    machine = machine_of_doubles(machine)
    layout = BlockLayout(window.size, hop_length, machine.lanes)
    lanes, (mels, frames) = layout.lanes, out.shape
    blocks, whole = -(-frames // lanes), frames // lanes
    form = MelForm(mels, power, _KINDS[signal.dtype.name], remove_dc, preemphasis != 0)
    sources = SourceBlocks(signal, layout, blocks, ends)
    last = np.empty((mels, lanes))
    results = np.empty((blocks + 1, 2), np.int64)
    results[:, 0] = out.ctypes.data + np.arange(blocks + 1) * lanes * out.itemsize
    results[:, 1] = out.strides[0]
    results[whole:] = last.ctypes.data, last.strides[0]
    run = _kernel(layout, machine, form)
    arguments: dict[str, Any] = {"bands": basis.bands, "weights": basis.weights, "analysis": window}
    count = inside.stop - inside.start
    arguments["figures"] = np.array([magnitude_guard, preemphasis, 1 / count])
    if form.remove_dc or form.preemphasis:
        before = layout.tables()["tile_index"][np.maximum(np.arange(window.size) - 1, inside.start)]
        arguments |= {"before": before, "first": inside.start, "count": count}

    def analyse(first: int, last: int) -> None:
        run(
            run.scratch(),
            sources=sources.addresses[first:last],
            results=results[first:],
            blocks=last - first,
            **arguments,
        )

    def report(_: int, last: int, __: None) -> None:
        if on_progress:
            on_progress(min(last * lanes, frames))

    threads = useful_threads(threads, frames * window.size)
    share_slices(analyse, report, blocks, threads, size=-(-STRETCH // layout.block))
    out[:, whole * lanes :] = last[:, : frames - whole * lanes]


_KINDS = {"float32": "float", "float64": "double"}


@dataclass(frozen=True, eq=False)
class SparseBasis:
    """A filter bank without the zeros around each band. Make one with `of`.

    Parameters
    ----------
    bands
        For each band its first bin, the number of its bins, and the position of its weights.
    weights
        Weights of all bands.
    """

    bands: Int64Array
    weights: Float64Array

    @classmethod
    def of(cls, weights: Array) -> SparseBasis:
        """Return the bands of a matrix (mels, bins)."""
        bands, parts, begin = [], [], 0
        for band in np.asarray(weights, np.float64):
            present = np.flatnonzero(band)
            first, last = (present[0], present[-1] + 1) if present.size else (0, 1)
            bands.append((first, last - first, begin))
            parts.append(band[first:last])
            begin += last - first
        return cls(np.array(bands, np.int64).reshape(-1, 3), np.concatenate(parts))
