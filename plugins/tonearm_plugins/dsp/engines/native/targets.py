"""Targets of phase recovery, as the kernels need them.

A `NativeTarget` has the memory of one target, and the arguments of kernels. Its `TargetCode` writes the steps that
`tonearm_plugins.dsp.phase_recovery.targets` has in NumPy into a kernel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, Protocol

import numpy as np

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, Number
from tonearm_plugins.dsp.engines.native.butterflies import Complex
from tonearm_plugins.dsp.engines.native.compiler import Kernel, Machine, aligned, compiled
from tonearm_plugins.dsp.engines.native.fft import RealFFT
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.targets import INITIAL_UPDATES, MAX_GAIN, mel_floor
from tonearm_plugins.dsp.threads import share_out
from tonearm_plugins.dsp.typing import Array, Float32Array, Int64Array

TINY = 1e-30
"""Added to squared magnitudes to keep x / |x| defined at 0."""

LEAST_PIECE = 32
"""Blocks that a thread takes at once, where each block is on its own."""


class TargetCode(Protocol):
    """Writes the steps between the forward and the inverse FFT of a block."""

    def project(self, fft: RealFFT, block: Int, *, smooth: bool) -> None:
        """Project the spectra onto the target, from points to points.

        To be smoothed as `tonearm_plugins.dsp.phase_recovery.targets` says, the spectra must be scaled so that the
        smoothing is 1: by the window, where the factor costs nothing.
        """

    def residual(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Add the squared distance of the spectra to the first register of ``sums``, the energy to the second."""


WriteTarget = Callable[[Writer, BlockLayout], TargetCode]
"""Declares the arguments of a target in a kernel."""


class NativeTarget(Protocol):
    """The target of one channel in memory."""

    @property
    def key(self) -> Hashable:
        """The key that tells its kernels from those of other targets."""

    def code(self, writer: Writer, layout: BlockLayout) -> TargetCode:
        """Declare its arguments in a kernel, and return the writer of its steps."""

    def arguments(self, block: int = 0) -> dict[str, Any]:
        """Return its arguments to a kernel that begins with this block."""

    def initial_magnitudes(self) -> Float32Array:
        """Return the magnitudes to begin with, in blocks."""


class NativeMagnitudeTarget:
    """Known magnitudes.

    Parameters
    ----------
    magnitude
        (bins, frames), real.
    layout
        The sizes of blocks.
    blocks
        Number of blocks.
    threads
        Largest number of threads.
    """

    key = "magnitudes"

    def __init__(self, magnitude: Array, layout: BlockLayout, blocks: int, *, threads: int = 1) -> None:
        self.magnitudes = in_blocks(magnitude, layout.bins + 1, layout, blocks, threads=threads)

    def code(self, writer: Writer, layout: BlockLayout) -> TargetCode:
        """Declare the magnitudes in a kernel, and return the writer of its steps."""
        return MagnitudeCode(writer, layout)

    def arguments(self, block: int = 0) -> dict[str, Any]:
        """Return the magnitudes from a block on."""
        return {"magnitudes": self.magnitudes[block:]}

    def initial_magnitudes(self) -> Float32Array:
        """Return the magnitudes."""
        return self.magnitudes


class NativeMelTarget:
    """A known mel spectrogram.

    Parameters
    ----------
    mel
        (mels, frames), real.
    basis
        The filter bank.
    layout
        The sizes of blocks.
    blocks
        Number of blocks.
    machine
        Processor to compile for.
    threads
        Largest number of threads.
    """

    def __init__(
        self,
        mel: Array,
        basis: MelBasis,
        layout: BlockLayout,
        blocks: int,
        *,
        machine: Machine,
        threads: int = 1,
    ) -> None:
        self.basis, self.layout, self.blocks, self.machine = basis, layout, blocks, machine
        self.mel = in_blocks(mel, len(mel), layout, blocks)
        self._threads = threads
        self.floor = mel_floor(self.mel)
        self.bands, self.band_weights = band_tables(basis)
        self.key = ("mel", len(mel), basis.power)

    def code(self, writer: Writer, layout: BlockLayout) -> TargetCode:
        """Declare the mel spectrogram in a kernel, and return the writer of its steps."""
        return MelCode(writer, layout, bands=len(self.bands), power=self.basis.power)

    def arguments(self, block: int = 0) -> dict[str, Any]:
        """Return the mel spectrogram from a block on, and the filter bank."""
        return {
            "mel": self.mel[block:],
            "bands": self.bands,
            "band_weights": self.band_weights,
            "mel_floor": self.floor,
        }

    def initial_magnitudes(self) -> Float32Array:
        """Return the magnitudes to begin with, in blocks."""
        layout, count, power = self.layout, len(self.bands), self.basis.power

        def make() -> Kernel:
            return Kernel(self.machine, lambda w: _write_initial_magnitudes(w, layout, bands=count, power=power), {})

        run = compiled(("initial magnitudes", self.key, layout, self.machine), make)
        result = aligned(self.blocks + 2, layout.bins + 1, layout.lanes)[1:]

        def begin(first: int, last: int) -> None:
            run(run.scratch(), magnitudes=result[first:], blocks=last - first, **self.arguments(first))

        share_out(begin, self.blocks, self._threads, least=LEAST_PIECE)
        return result


def in_blocks(frames: Array, rows: int, layout: BlockLayout, blocks: int, *, threads: int = 1) -> Float32Array:
    """Return an array (rows, frames) as blocks [row][lane] of ``rows`` rows, at least as many as the array has.

    In memory there is one more block of zeros before the first, with a register of zeros before it, and one after the
    last.
    """
    lanes = layout.lanes
    given, count = frames.shape
    whole = count // lanes
    result = aligned(blocks + 2, rows, lanes)[1:]

    def move(first: int, last: int) -> None:
        inside = frames[:, first * lanes : last * lanes]
        if inside.dtype == np.float32 and inside.dtype.isnative and inside.strides[1] == inside.itemsize:
            # One element for all lanes: they are moved together, two to three times as fast as one by one.
            together = np.dtype((np.void, lanes * inside.itemsize))
            result[first:last, :given].view(together)[..., 0] = inside.view(together).T
        else:
            result[first:last, :given] = inside.reshape(given, last - first, lanes).transpose(1, 0, 2)

    share_out(move, whole, threads)
    if count % lanes:
        result[whole, :given, : count % lanes] = frames[:, whole * lanes :]
    return result


@functools.lru_cache(maxsize=4)
def band_tables(basis: MelBasis) -> tuple[Int64Array, Float32Array]:
    """Return the tables ``bands`` and ``band_weights`` of `MelCode`."""
    bands, pairs, begin = [], [], 0
    for weights, shares in zip(basis.weights, basis.shares, strict=True):
        inside = np.flatnonzero(weights)
        first, last = (inside[0], inside[-1] + 1) if inside.size else (0, 1)
        bands.append((first, last - first, begin))
        pairs.append(np.stack([weights[first:last], shares[first:last]], axis=-1))
        begin += last - first
    return np.array(bands, np.int64), np.concatenate(pairs).astype(np.float32)


# ---- writing the steps ----


def squared(x: Complex) -> Vec:
    """Return the squared magnitude."""
    return x.re * x.re + x.im * x.im


class MagnitudeCode:
    """Writes the steps of known magnitudes."""

    def __init__(self, writer: Writer, layout: BlockLayout) -> None:
        self.layout = layout
        self.magnitudes = writer.memory("magnitudes")
        self.rows = (layout.bins + 1) * layout.lanes

    def project(self, fft: RealFFT, block: Int, *, smooth: bool) -> None:
        """Replace the magnitudes with the known ones."""
        known, ahead = self.magnitudes.part(block * self.rows), self.magnitudes.part((block + 1) * self.rows)

        def change(k: Number, x: Complex) -> Complex:
            ahead.part(k * self.layout.lanes).prefetch()
            wanted = known[k * self.layout.lanes]
            least = wanted * wanted + TINY if smooth else TINY
            return x.scaled(wanted / (x.re * x.re + (x.im * x.im + least)).sqrt())

        fft.bins(change)

    def residual(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Compare magnitudes."""
        known, lanes = self.magnitudes.part(block * self.rows), self.layout.lanes

        def change(k: Number, x: Complex) -> Complex:
            wanted = known[k * lanes]
            distance = squared(x).sqrt() * 0.5 - wanted
            share = fft.share()
            sums[0] = sums[0] + distance * distance * share
            sums[lanes] = sums[lanes] + wanted * wanted * share
            return x

        fft.bins(change, result="nothing")


class MelCode:
    """Writes the steps of a known mel spectrogram.

    A band is stored from its first to its last bin that has a weight. ``bands`` has its first bin, the number of its
    bins, and the position of its weights. ``band_weights`` has two numbers for each of these bins: the weight, and the
    share of the band in the gain of the bin.

    Parameters
    ----------
    writer, layout
        The function, and the sizes of its blocks.
    bands
        Number of bands.
    power
        1 if bands are sums of magnitudes, 2 if they are sums of powers.
    """

    def __init__(self, writer: Writer, layout: BlockLayout, *, bands: int, power: int) -> None:
        self.writer, self.layout, self.count, self.power = writer, layout, bands, power
        self.mel = writer.memory("mel")
        self.bands, self.weights = writer.memory("bands"), writer.memory("band_weights")
        self.floor = writer.float_argument("mel_floor")
        rows = (layout.bins + 1) * layout.lanes
        self.sizes, self.gains = writer.scratch(rows), writer.scratch(rows)
        self.zero = writer.constant(0.0)

    def project(self, fft: RealFFT, block: Int, *, smooth: bool) -> None:
        """Scale each bin by the gains of its bands, which are not smoothed."""
        lanes = self.layout.lanes
        self._store_sizes(fft, result="bins")
        self._find_gains(block)

        def change(k: Number, x: Complex) -> Complex:
            gain = self.gains[k * lanes]
            return x.scaled((gain.sqrt() if self.power == 2 else gain) * 0.5)

        fft.bins(change, source="bins")

    def residual(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Compare mel spectra."""
        lanes = self.layout.lanes
        self._store_sizes(fft, result="nothing")
        with self.writer.loop(self.count) as band:
            wanted = self.mel[(block * self.count + band) * lanes]
            distance = self._band_value(band) - wanted
            sums[0] = sums[0] + distance * distance
            sums[lanes] = sums[lanes] + wanted * wanted

    def initial_magnitudes(self, block: Int, magnitudes: Memory) -> None:
        """Write the magnitudes to begin with: even within each band, then a few multiplicative updates."""
        lanes, bins = self.layout.lanes, self.layout.bins
        with self.writer.loop(bins) as k:
            self.sizes[k * lanes] = self.writer.constant(1.0)
        for step in range(INITIAL_UPDATES + 1):
            self._find_gains(block, limited=step > 0)
            with self.writer.loop(bins) as k:
                self.sizes[k * lanes] = self.sizes[k * lanes] * self.gains[k * lanes]
        with self.writer.loop(bins) as k:
            size = self.sizes[k * lanes]
            magnitudes[k * lanes] = size.sqrt() if self.power == 2 else size

    def _store_sizes(self, fft: RealFFT, *, result: str) -> None:
        def change(k: Number, x: Complex) -> Complex:
            size = squared(x) * 0.25
            self.sizes[k * self.layout.lanes] = size if self.power == 2 else size.sqrt()
            return x

        fft.bins(change, result="bins" if result == "bins" else "nothing")

    def _band(self, band: Int) -> tuple[Int, Int, Int]:
        first, count, begin = (self.bands.int64(band * 3 + i) for i in range(3))
        return first, count, begin

    def _band_value(self, band: Int) -> Vec:
        """Return the value of a band."""
        first, count, begin = self._band(band)
        lanes = self.layout.lanes
        with self.writer.carrying(count, self.zero) as (i, (total,)):
            total.value = total.value + self.weights.splat((begin + i) * 2) * self.sizes[(first + i) * lanes]
        return total.value

    def _find_gains(self, block: Int, *, limited: bool = True) -> None:
        lanes = self.layout.lanes
        with self.writer.loop(self.layout.bins) as k:
            self.gains[k * lanes] = self.zero
        most = self.writer.constant(MAX_GAIN)
        with self.writer.loop(self.count) as band:
            held = self._band_value(band)
            ratio = self.mel[(block * self.count + band) * lanes] / (self.floor > held).choose(self.floor, held)
            if limited:
                ratio = (ratio > most).choose(most, ratio)
            first, count, begin = self._band(band)
            with self.writer.loop(count) as i:
                at = (first + i) * lanes
                self.gains[at] = self.gains[at] + ratio * self.weights.splat((begin + i) * 2 + 1)


def _write_initial_magnitudes(writer: Writer, layout: BlockLayout, *, bands: int, power: int) -> None:
    """Write the kernel that makes the magnitudes to begin with from a mel spectrogram."""
    magnitudes = writer.memory("magnitudes")
    blocks = writer.int_argument("blocks")
    target = MelCode(writer, layout, bands=bands, power=power)
    with writer.loop(blocks) as block:
        target.initial_magnitudes(block, magnitudes.part(block * ((layout.bins + 1) * layout.lanes)))
