"""The scipy engine: STFT, its inverse and Griffin-Lim by scipy.fft, in blocks of frames that stay in the cache.

It runs everywhere, for every size. Overlap-add works on a small accumulator that moves along with the blocks, so no
array of the spectrogram's size is ever allocated.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import not_finite
from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.framing import (
    MIN_WEIGHT_ESTIMATED,
    MIN_WEIGHT_EXACT,
    Ends,
    FrameGrid,
    copy_into,
    frame_view,
    frames_in_cache,
    with_ends,
    without_padding,
)
from tonearm_plugins.dsp.mapped_memory import MappedMemory
from tonearm_plugins.dsp.threads import share_in_order
from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray

if TYPE_CHECKING:
    from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
    from tonearm_plugins.dsp.phase_recovery.recovery import Convergence, Progress
    from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
    from tonearm_plugins.dsp.phase_recovery.targets import Target

VECTOR = 4
"""Rows that scipy.fft transforms at once, in single precision; in double precision half as many."""

Spectra = Callable[[int, int], ComplexArray]
"""Gives the spectra of frames ``first`` to ``last - 1``, (frames, bins), which may be overwritten."""


class ScipyEngine:
    """STFT, inverse STFT and phase recovery by scipy.fft."""

    name = "scipy"

    def refusal(self, grid: FrameGrid | None = None, *, double: bool = False) -> str:
        """Return why it cannot do this work; it can do all work where scipy is installed."""
        return missing_package("scipy")

    def frames_at_once(self, grid: FrameGrid) -> int:
        """Return 1, since frames are added one after the other."""
        return 1

    def stft(
        self,
        signal: FloatArray,
        grid: FrameGrid,
        *,
        out: ComplexArray,
        ends: Ends | None = None,
        threads: int = 1,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Analyse one channel, (samples,), into ``out`` (bins, frames)."""
        import scipy.fft

        signal = with_ends(signal, ends, end=grid.n_fft + grid.hop_length * (grid.frames - 1))
        window = grid.window.astype(signal.dtype)
        view = frame_view(signal, n_fft=grid.n_fft, hop_length=grid.hop_length)

        blocks = list(block_slices(grid.frames, frames_in_cache(grid.n_fft)))

        def analyse(number: int) -> None:
            frames = view[blocks[number]] * window
            spectra = scipy.fft.rfft(in_whole_vectors(frames), axis=1, overwrite_x=True)
            out[:, blocks[number]] = spectra[: len(frames)].T

        def report(number: int, _: None) -> None:
            if on_progress:
                on_progress(blocks[number].stop)

        share_in_order(analyse, report, len(blocks), threads)

    def istft(
        self,
        spectrum: Array,
        grid: FrameGrid,
        *,
        out: FloatArray,
        threads: int = 1,
        require_finite: bool = False,
        on_peak: Callable[[float], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Invert one channel (bins, frames), which may be mapped from a file, into ``out`` (length,)."""
        kind = np.complex128 if out.dtype == np.float64 else np.complex64
        mapping = MappedMemory(spectrum)

        def spectra(first: int, last: int) -> ComplexArray:
            block = spectrum[:, first:last]
            if require_finite:
                not_finite.require_finite(block)
            return np.array(block.T, dtype=kind, order="C")

        def finish(first: int, columns: FloatArray) -> None:
            copy_into(out, first * grid.hop_length - grid.pad, columns.reshape(-1))
            mapping.count_read(len(columns) * grid.bins * spectrum.itemsize)
            if on_progress:
                on_progress(min(first + len(columns), grid.frames))

        covered = grid.columns * grid.hop_length - grid.pad
        out[max(0, covered) :] = 0
        OverlapAdd(grid, min_weight=MIN_WEIGHT_EXACT, dtype=out.dtype, threads=threads)(spectra, finish)
        mapping.release()
        if on_peak:
            on_peak(float(np.abs(out).max(initial=0.0)))

    def recover(
        self,
        given: Array,
        settings: RecoverySettings,
        *,
        out: FloatArray,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> list[Convergence]:
        """Recover all channels one after the other; the threads share the blocks of each."""
        from tonearm_plugins.dsp.phase_recovery.recovery import recover_channel

        def recover(channel: int) -> Convergence:
            recovery = ScipyRecovery(settings.target(given[channel], out.dtype), settings.grid, threads=threads)
            return recover_channel(
                recovery, settings, seed=settings.seed + channel, out=out[channel], progress=progress
            )

        return [recover(channel) for channel in range(len(given))]


SCIPY = ScipyEngine()


@functools.cache
def missing_package(name: str) -> str:
    """Return that a package is not installed, or an empty text if it is; nothing is imported.

    Examples
    --------
    >>> missing_package("no_such_package")
    'no_such_package is not installed'
    """
    return "" if importlib.util.find_spec(name) else f"{name} is not installed"


def in_whole_vectors(rows: Array) -> Array:
    """Return rows with zeros after them, as many as scipy.fft transforms at once, or a multiple.

    It transforms those that are left over one by one, and rounds them otherwise where the compiler has merged
    multiplications with additions, as on arm64. Then streams would not have the bits of whole signals.

    Examples
    --------
    >>> in_whole_vectors(np.ones((3, 2))).shape
    (4, 2)
    """
    rest = -len(rows) % VECTOR
    return np.concatenate([rows, np.zeros((rest, rows.shape[1]), rows.dtype)]) if rest else rows


class OverlapAdd:
    """Inverts spectra block by block, and hands over each stretch of the signal as soon as it is complete.

    Parameters
    ----------
    grid
        The frames.
    min_weight
        As in `FrameGrid.inverse_weight`.
    dtype
        float32 or float64.
    threads
        Largest number of threads.
    """

    def __init__(self, grid: FrameGrid, *, min_weight: float, dtype: npt.DTypeLike, threads: int) -> None:
        self.grid = grid
        self.min_weight = min_weight
        self.threads = threads
        self.window = grid.window.astype(dtype)
        self.weights: dict[int, FloatArray] = {}  # of blocks by their first frame: several passes need them again
        shape = (frames_in_cache(grid.n_fft) + grid.overlap - 1, grid.hop_length)
        self.total, self.columns = np.zeros(shape, dtype), np.empty(shape, dtype)

    def __call__(
        self, spectra: Spectra, finish: Callable[[int, FloatArray], None], *, is_ordered: bool = False
    ) -> None:
        """Invert all frames once.

        Parameters
        ----------
        spectra
            Source of the spectra.
        finish
            Takes the number of the first column, and complete columns (n, hop_length) of the signal that is nearest in
            the sense of least squares (Griffin and Lim, 1984, equation 6). Columns come in order and without gaps.
            They may be overwritten, and are overwritten when the next ones come.
        is_ordered
            Whether ``spectra`` must be called for one block after the other. Otherwise several threads may call it.
        """
        import scipy.fft

        grid, total, hop = self.grid, self.total, self.grid.hop_length
        total[:] = 0
        blocks = list(block_slices(grid.frames, frames_in_cache(grid.n_fft)))

        def invert(number: int) -> FloatArray:
            block = blocks[number]
            given = in_whole_vectors(spectra(block.start, block.stop))
            frames: FloatArray = scipy.fft.irfft(given, n=grid.n_fft, axis=1, overwrite_x=True)
            frames = frames[: block.stop - block.start]
            frames *= self.window
            return frames

        def add(number: int, frames: FloatArray) -> None:
            first, last = blocks[number].start, blocks[number].stop
            count = last - first
            for r in reversed(range(grid.overlap)):  # so the sum over frames is in their order, wherever blocks begin
                part = frames[:, r * hop : (r + 1) * hop]
                total[r : r + count, : part.shape[1]] += part
            done = count if last < grid.frames else count + grid.overlap - 1
            finish(first, np.multiply(total[:done], self._weight(first, done), out=self.columns[:done]))
            rest = total[done : done + grid.overlap - 1].copy()
            total[: len(rest)] = rest
            total[len(rest) :] = 0

        share_in_order(invert, add, len(blocks), 1 if is_ordered else self.threads)

    def _weight(self, first: int, count: int) -> FloatArray:
        if first not in self.weights:
            weight = self.grid.inverse_weight(first, first + count, self.min_weight)
            self.weights[first] = weight.astype(self.total.dtype)
        return self.weights[first]


class ScipyRecovery:
    """Griffin-Lim on one channel. Its state is two signals, never a complex spectrogram.

    The STFT is linear, so momentum on spectra is momentum on the signals that they come from. The projection onto
    consistent spectra is part of the next analysis anyway.

    Parameters
    ----------
    target
        Magnitudes or mel spectrogram that the spectra are projected onto; its type is that of all the work.
    grid
        The frames.
    threads
        Largest number of threads.
    """

    def __init__(self, target: Target, grid: FrameGrid, *, threads: int = 1) -> None:
        self.target = target
        self.grid = grid
        self.threads = threads
        self.overlap_add = OverlapAdd(grid, min_weight=MIN_WEIGHT_ESTIMATED, dtype=target.dtype, threads=threads)
        self.rooms: list[FloatArray] = []  # for windowed frames: one for each thread at work
        shape = (grid.columns, grid.hop_length)
        self.point = np.zeros(shape, target.dtype)  # what the next iteration analyses
        self.estimate = np.zeros(shape, target.dtype)
        self.point_frames, self.estimate_frames = (
            frame_view(signal.reshape(-1), n_fft=grid.n_fft, hop_length=grid.hop_length)
            for signal in (self.point, self.estimate)
        )

    def initial_magnitudes(self) -> FloatArray:
        """Return the magnitudes to begin with: (frames, bins)."""
        return self.target.initial_magnitudes()

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI."""
        from tonearm_plugins.dsp.phase_recovery.plgi import PeakLockedPhases

        phases = PeakLockedPhases(self.target.initial_magnitudes(), self.grid)
        self._project(phases, self._take_over, is_ordered=True)

    def start_from_spectra(self, spectra: Spectra) -> None:
        """Begin with the signal of spectra, which are asked for in blocks."""
        self._project(spectra, self._take_over)

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""
        from tonearm_plugins.dsp.phase_recovery.initial_phases import white_noise

        noise = white_noise(self.grid, seed)
        self.point.reshape(-1)[: noise.size] = noise
        del noise
        self._project(self._on_target, self._take_over)

    def start_from_signal(self, signal: FloatArray) -> None:
        """Take a signal without padding, (length,), as the estimate."""
        estimate = self.estimate.reshape(-1)[self.grid.pad :]
        estimate[: self.grid.length] = signal[: estimate.size]

    def iterate(self, count: int, momentum: Momentum, progress: Progress | None = None) -> None:
        """Project ``count`` times, and report each time to ``progress``."""
        m = momentum

        def finish(first: int, columns: FloatArray) -> None:
            here = slice(first, first + len(columns))
            point, estimate = self.point[here], self.estimate[here]
            np.multiply(estimate, -m.alpha, out=point)
            estimate *= m.from_estimate
            columns *= m.from_projection
            estimate += columns
            point += np.multiply(estimate, 1 + m.alpha, out=columns)

        def on_target(first: int, last: int) -> ComplexArray:
            return self._on_target(first, last, m.smoothing)

        for _ in range(count):
            self._project(on_target, finish)
            if progress:
                progress.add(1)

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate from the target, and the energy of the target."""
        blocks = list(block_slices(self.grid.frames, frames_in_cache(self.grid.n_fft)))
        parts = []

        def measure(number: int) -> tuple[float, float]:
            first, last = blocks[number].start, blocks[number].stop
            return self.target.residual(first, last, self._spectra(self.estimate_frames, first, last))

        share_in_order(measure, lambda _, part: parts.append(part), len(blocks), self.threads)
        distance, energy = (sum(values) for values in zip(*parts, strict=True))
        return distance, energy

    def finish(self, out: FloatArray) -> tuple[float, float]:
        """Write the signal to ``out`` (length,), and return the residual. The recovery cannot go on afterwards."""
        del self.point, self.point_frames
        out[:] = without_padding(self.estimate.reshape(-1), self.grid)
        return self.residual()

    def _spectra(self, frames: FloatArray, first: int, last: int) -> ComplexArray:
        import scipy.fft

        try:
            room = self.rooms.pop()
        except IndexError:
            room = np.empty((frames_in_cache(self.grid.n_fft), self.grid.n_fft), self.target.dtype)
        windowed = np.multiply(frames[first:last], self.overlap_add.window, out=room[: last - first])
        spectra: ComplexArray = scipy.fft.rfft(windowed, axis=1, overwrite_x=True)
        self.rooms.append(room)
        return spectra

    def _on_target(self, first: int, last: int, smoothing: float = 0.0) -> ComplexArray:
        spectra = self._spectra(self.point_frames, first, last)
        self.target.project(first, last, spectra, smoothing)
        return spectra

    def _take_over(self, first: int, columns: FloatArray) -> None:
        here = slice(first, first + len(columns))
        self.point[here] = self.estimate[here] = columns

    def _project(
        self, spectra: Spectra, finish: Callable[[int, FloatArray], None], *, is_ordered: bool = False
    ) -> None:
        with np.errstate(all="ignore"):  # NaN and overflow in the input stay where they are, as values
            self.overlap_add(spectra, finish, is_ordered=is_ordered)
