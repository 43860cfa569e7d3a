"""What the kernels of phase recovery aim at: the writers of what `tonearm_plugins.dsp.phase_recovery.targets` does in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tonearm_plugins.dsp.engines.native.block_layout import Layout, Number
from tonearm_plugins.dsp.engines.native.fft import Complex, RealFFT
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Memory, Vec, Writer
from tonearm_plugins.dsp.phase_recovery.targets import GREATEST_GAIN, START_STEPS

TINY = 1e-30  # keeps x / |x| defined at 0, added to |x|²


class Aim(Protocol):
    """Writes the steps between the forward and the inverse FFT of a block."""

    def reach(self, fft: RealFFT, block: Int) -> None:
        """Bring the spectra to the aim, from points to points."""

    def measure(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Add the squared distance of the spectra to the first register of ``sums``, the aim's energy to the second."""


AimMaker = Callable[[Writer, Layout], Aim]


def squared(x: Complex) -> Vec:
    """Return the squared magnitude."""
    return x.re * x.re + x.im * x.im


class MagnitudeAim:
    """Known magnitudes."""

    def __init__(self, writer: Writer, layout: Layout) -> None:
        self.layout = layout
        self.magnitudes = writer.memory("magnitudes")
        self.rows = (layout.bins + 1) * layout.lanes

    def reach(self, fft: RealFFT, block: Int) -> None:
        """Put the known magnitudes in place of those found."""
        known, ahead = self.magnitudes.part(block * self.rows), self.magnitudes.part((block + 1) * self.rows)

        def change(k: Number, x: Complex) -> Complex:
            ahead.part(k * self.layout.lanes).prefetch()
            return x.scaled(known[k * self.layout.lanes] / (squared(x) + TINY).sqrt())

        fft.bins(change)

    def measure(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Compare magnitudes."""
        known, lanes = self.magnitudes.part(block * self.rows), self.layout.lanes

        def change(k: Number, x: Complex) -> Complex:
            wanted = known[k * lanes]
            distance = squared(x).sqrt() * 0.5 - wanted
            share = fft.share(k)
            sums[0] = sums[0] + distance * distance * share
            sums[lanes] = sums[lanes] + wanted * wanted * share
            return x

        fft.bins(change, result="nothing")


class MelAim:
    """A known mel spectrogram.

    A band is stored from its first to its last bin that has a weight: ``bands`` has its first bin, their number, and
    where its weights begin; ``band_weights`` has for each of these bins the weight, and the band's share in the bin's
    gain.

    Parameters
    ----------
    writer, layout
        The function, and its sizes.
    bands
        How many.
    power
        1 or 2: whether bands are sums of magnitudes or of their squares.
    """

    def __init__(self, writer: Writer, layout: Layout, *, bands: int, power: int) -> None:
        self.writer, self.layout, self.count, self.power = writer, layout, bands, power
        self.mel = writer.memory("mel")
        self.bands, self.weights = writer.memory("bands"), writer.memory("band_weights")
        self.floor = writer.float_argument("mel_floor")
        rows = (layout.bins + 1) * layout.lanes
        self.sizes, self.gains = writer.scratch(rows), writer.scratch(rows)
        self.zero = writer.constant(0.0)

    def reach(self, fft: RealFFT, block: Int) -> None:
        """Scale each bin by what its bands want."""
        lanes = self.layout.lanes
        self._take_sizes(fft, result="bins")
        self._find_gains(block)

        def change(k: Number, x: Complex) -> Complex:
            gain = self.gains[k * lanes]
            return x.scaled((gain.sqrt() if self.power == 2 else gain) * 0.5)

        fft.bins(change, source="bins")

    def measure(self, fft: RealFFT, block: Int, sums: Memory) -> None:
        """Compare mel spectra."""
        lanes = self.layout.lanes
        self._take_sizes(fft, result="nothing")
        with self.writer.loop(self.count) as band:
            wanted = self.mel[(block * self.count + band) * lanes]
            distance = self._held(band) - wanted
            sums[0] = sums[0] + distance * distance
            sums[lanes] = sums[lanes] + wanted * wanted

    def first_magnitudes(self, block: Int, magnitudes: Memory) -> None:
        """Write magnitudes to begin with: even within each band, then a few multiplicative steps."""
        lanes, bins = self.layout.lanes, self.layout.bins
        with self.writer.loop(bins) as k:
            self.sizes[k * lanes] = self.writer.constant(1.0)
        for step in range(START_STEPS + 1):
            self._find_gains(block, limited=step > 0)
            with self.writer.loop(bins) as k:
                self.sizes[k * lanes] = self.sizes[k * lanes] * self.gains[k * lanes]
        with self.writer.loop(bins) as k:
            size = self.sizes[k * lanes]
            magnitudes[k * lanes] = size.sqrt() if self.power == 2 else size

    def _take_sizes(self, fft: RealFFT, *, result: str) -> None:
        def change(k: Number, x: Complex) -> Complex:
            size = squared(x) * 0.25
            self.sizes[k * self.layout.lanes] = size if self.power == 2 else size.sqrt()
            return x

        fft.bins(change, result="bins" if result == "bins" else "nothing")

    def _band(self, band: Int) -> tuple[Int, Int, Int]:
        first, count, begin = (self.bands.int64(band * 3 + i) for i in range(3))
        return first, count, begin

    def _held(self, band: Int) -> Vec:
        """Return what the sizes hold in a band."""
        first, count, begin = self._band(band)
        lanes = self.layout.lanes
        with self.writer.carrying(count, self.zero) as (i, (total,)):
            total.value = total.value + self.weights.splat((begin + i) * 2) * self.sizes[(first + i) * lanes]
        return total.value

    def _find_gains(self, block: Int, *, limited: bool = True) -> None:
        lanes = self.layout.lanes
        with self.writer.loop(self.layout.bins) as k:
            self.gains[k * lanes] = self.zero
        most = self.writer.constant(GREATEST_GAIN)
        with self.writer.loop(self.count) as band:
            held = self._held(band)
            ratio = self.mel[(block * self.count + band) * lanes] / (self.floor > held).choose(self.floor, held)
            if limited:
                ratio = (ratio > most).choose(most, ratio)
            first, count, begin = self._band(band)
            with self.writer.loop(count) as i:
                at = (first + i) * lanes
                self.gains[at] = self.gains[at] + ratio * self.weights.splat((begin + i) * 2 + 1)


def write_first_magnitudes(writer: Writer, layout: Layout, *, bands: int, power: int) -> None:
    """Write the kernel that makes the magnitudes to begin with from a mel spectrogram."""
    magnitudes = writer.memory("magnitudes")
    blocks = writer.int_argument("blocks")
    aim = MelAim(writer, layout, bands=bands, power=power)
    with writer.loop(blocks) as block:
        aim.first_magnitudes(block, magnitudes.part(block * ((layout.bins + 1) * layout.lanes)))
