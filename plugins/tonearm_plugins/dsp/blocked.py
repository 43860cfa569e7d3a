"""The scipy engine: STFT, its inverse and Griffin-Lim by scipy.fft, in blocks of frames that stay in the cache.

It runs everywhere, for every size. Overlap-add works on a small accumulator that moves along with the blocks, so
nothing of the spectrogram's size is ever allocated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import phases
from tonearm_plugins.dsp.acceleration import Momentum
from tonearm_plugins.dsp.framing import LEAST_ESTIMATED, LEAST_EXACT, FloatArray, FrameGrid, clip_of
from tonearm_plugins.dsp.mapped_memory import MappedMemory
from tonearm_plugins.dsp.targets import Target

ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]


def block_frames(n_fft: int) -> int:
    """Return how many frames make a block: about a megabyte of float32, measured to be best."""
    return max(8, 2**18 // n_fft)


def blocks(frames: int, n_fft: int) -> Iterator[tuple[int, int]]:
    """Cut frames into blocks: (first, one past the last)."""
    step = block_frames(n_fft)
    return ((first, min(first + step, frames)) for first in range(0, frames, step))


def frame_view(signal: FloatArray, grid: FrameGrid) -> FloatArray:
    """Return the frames of a signal on the padded time axis, as a view: (frames, n_fft)."""
    windows = np.lib.stride_tricks.sliding_window_view(signal, grid.n_fft)
    return windows[:: grid.hop_length][: grid.frames]


class OverlapAdd:
    """Inverts spectra block by block and hands over each stretch of signal as soon as it is complete.

    Parameters
    ----------
    grid
        The frames.
    least
        See `FrameGrid.inverse_weight`.
    dtype
        float32 or float64.
    threads
        For the FFTs.
    """

    def __init__(self, grid: FrameGrid, *, least: float, dtype: npt.DTypeLike, threads: int) -> None:
        self.grid = grid
        self.least = least
        self.threads = threads
        self.window = grid.window.astype(dtype)
        self.weights: dict[int, FloatArray] = {}  # of blocks by their first frame: several passes need them again
        shape = (block_frames(grid.n_fft) + grid.overlap - 1, grid.hop_length)
        self.total, self.columns = np.zeros(shape, dtype), np.empty(shape, dtype)

    def __call__(self, spectra: Callable[[int, int], ComplexArray], finish: Callable[[int, FloatArray], None]) -> None:
        """Invert all frames once.

        Parameters
        ----------
        spectra
            Gives the spectra of frames ``first`` to ``last - 1`` as (frames, bins); may be overwritten.
        finish
            Takes the first column and complete columns (n, hop_length), normalised: least squares in the sense of
            Griffin and Lim (1984), equation 6. Columns come in order and without gaps; they may be overwritten, and
            are when the next ones come.
        """
        import scipy.fft

        grid, total, hop = self.grid, self.total, self.grid.hop_length
        total[:] = 0
        for first, last in blocks(grid.frames, grid.n_fft):
            count = last - first
            frames = scipy.fft.irfft(spectra(first, last), n=grid.n_fft, axis=1, overwrite_x=True, workers=self.threads)
            frames *= self.window
            for r in range(grid.overlap):
                part = frames[:, r * hop : (r + 1) * hop]
                total[r : r + count, : part.shape[1]] += part
            done = count if last < grid.frames else count + grid.overlap - 1
            finish(first, np.multiply(total[:done], self._weight(first, done), out=self.columns[:done]))
            rest = total[done : done + grid.overlap - 1].copy()
            total[: len(rest)] = rest
            total[len(rest) :] = 0

    def _weight(self, first: int, count: int) -> FloatArray:
        if first not in self.weights:
            weight = self.grid.inverse_weight(first, first + count, self.least)
            self.weights[first] = weight.astype(self.total.dtype)
        return self.weights[first]


def istft(spectrum: npt.NDArray[Any], grid: FrameGrid, *, out: FloatArray, threads: int = 1) -> None:
    """Invert one channel (bins, frames), mapped or not, into ``out`` (length,)."""
    kind = np.complex128 if out.dtype == np.float64 else np.complex64

    mapping = MappedMemory(spectrum)

    def spectra(first: int, last: int) -> ComplexArray:
        part = spectrum[:, first:last]
        mapping.count_read(part.nbytes)
        return np.array(part.T, dtype=kind, order="C")

    def finish(first: int, columns: FloatArray) -> None:
        begin = first * grid.hop_length - grid.pad
        signal = columns.reshape(-1)[max(0, -begin) :]
        begin = max(0, begin)
        signal = signal[: max(0, grid.length - begin)]
        out[begin : begin + signal.size] = signal

    reached = grid.columns * grid.hop_length - grid.pad
    out[max(0, reached) :] = 0
    OverlapAdd(grid, least=LEAST_EXACT, dtype=out.dtype, threads=threads)(spectra, finish)
    mapping.release()


def stft(signal: FloatArray, grid: FrameGrid, *, out: npt.NDArray[np.complex64], threads: int = 1) -> None:
    """Analyse one channel on the padded time axis into ``out`` (bins, frames)."""
    import scipy.fft

    window = grid.window.astype(signal.dtype)
    view = frame_view(signal, grid)
    for first, last in blocks(grid.frames, grid.n_fft):
        out[:, first:last] = scipy.fft.rfft(view[first:last] * window, axis=1, overwrite_x=True, workers=threads).T


class Recovery:
    """Griffin-Lim on one channel by scipy.fft: the state is two signals, never a complex spectrogram.

    The STFT is linear, so momentum on spectra is momentum on the signals that they come from (and the projection onto
    consistent spectra is done by the next analysis anyway).

    Parameters
    ----------
    target
        What the spectra are to be.
    grid
        The frames.
    threads
        For the FFTs.
    """

    def __init__(self, target: Target, grid: FrameGrid, *, threads: int = 1) -> None:
        self.target = target
        self.grid = grid
        self.threads = threads
        self.overlap_add = OverlapAdd(grid, least=LEAST_ESTIMATED, dtype=np.float32, threads=threads)
        self.frames = np.empty((block_frames(grid.n_fft), grid.n_fft), np.float32)
        shape = (grid.columns, grid.hop_length)
        self.point = np.zeros(shape, np.float32)  # what the next iteration analyses
        self.estimate = np.zeros(shape, np.float32)
        self.point_frames, self.estimate_frames = (
            frame_view(signal.reshape(-1), grid) for signal in (self.point, self.estimate)
        )

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI."""
        self._project(phases.PeakLockedPhases(self.target.first_magnitudes(), self.grid), self._take_over)

    def start_from_spectra(self, spectra: Callable[[int, int], ComplexArray]) -> None:
        """Begin with the signal of spectra, asked for as `OverlapAdd` does."""
        self._project(spectra, self._take_over)

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""
        noise = phases.noise(self.grid, seed)
        self.point.reshape(-1)[: noise.size] = noise
        del noise
        self._project(self._on_target, self._take_over)

    def iterate(self, count: int, momentum: Momentum) -> None:
        """Project ``count`` times."""
        m = momentum
        spare = np.empty_like(self.overlap_add.columns)

        def finish(first: int, columns: FloatArray) -> None:
            here = slice(first, first + len(columns))
            point, estimate, part = self.point[here], self.estimate[here], spare[: len(columns)]
            if m.gamma != 1.0:
                columns *= m.gamma
                columns += np.multiply(estimate, m.from_estimate, out=part)
                columns += np.multiply(point, m.from_point, out=part)
            np.subtract(columns, estimate, out=point)
            point *= m.alpha
            point += columns
            estimate[:] = columns

        for _ in range(count):
            self._project(self._on_target, finish)

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate from the target, and the target's own energy."""
        distance = energy = 0.0
        for first, last in blocks(self.grid.frames, self.grid.n_fft):
            part = self.target.residual(first, last, self._spectra(self.estimate_frames, first, last))
            distance, energy = distance + part[0], energy + part[1]
        return distance, energy

    def finish(self, out: FloatArray) -> tuple[float, float]:
        """Write the clip to ``out`` and return the residual; there is no going on afterwards."""
        del self.point, self.point_frames
        out[:] = clip_of(self.estimate.reshape(-1), self.grid)
        return self.residual()

    def _spectra(self, frames: FloatArray, first: int, last: int) -> ComplexArray:
        import scipy.fft

        windowed = np.multiply(frames[first:last], self.overlap_add.window, out=self.frames[: last - first])
        spectra: ComplexArray = scipy.fft.rfft(windowed, axis=1, overwrite_x=True, workers=self.threads)
        return spectra

    def _on_target(self, first: int, last: int) -> ComplexArray:
        spectra = self._spectra(self.point_frames, first, last)
        self.target.reach(first, last, spectra)
        return spectra

    def _take_over(self, first: int, columns: FloatArray) -> None:
        here = slice(first, first + len(columns))
        self.point[here] = self.estimate[here] = columns

    def _project(self, spectra: Callable[[int, int], ComplexArray], finish: Callable[[int, FloatArray], None]) -> None:
        with np.errstate(all="ignore"):  # NaN and overflow in the input stay where they are, as values
            self.overlap_add(spectra, finish)
