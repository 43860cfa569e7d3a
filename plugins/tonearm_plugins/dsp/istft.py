"""The inverse STFT: least squares overlap-add."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp import not_finite
from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mapped_memory import RELEASE_BYTES, MappedMemory
from tonearm_plugins.dsp.progress import OnProgress, frames_of
from tonearm_plugins.dsp.typing import Array, FloatArray


def istft(
    spectrum: Array,
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    length: int | None = None,
    engine: str = "auto",
    threads: int = 1,
    require_finite: bool = False,
    on_peak: Callable[[float], None] | None = None,
    on_progress: OnProgress | None = None,
) -> FloatArray:
    """Return the signal whose STFT is nearest to ``spectrum`` in the sense of least squares.

    That is overlap-add of the windowed inverse FFTs over the sum of squared windows (Griffin and Lim, "Signal
    estimation from modified short-time Fourier transform", 1984, equation 6), exact up to the edges. It needs memory
    for the result and one block of frames, so a spectrum may be mapped from a file of any size.

    Parameters
    ----------
    spectrum
        (channels, bins, frames), complex, in any memory order.
    window
        ``n_fft`` values; ``bins`` is ``n_fft // 2 + 1``.
    hop_length
        Samples from one frame to the next.
    pad
        Samples that the analysis added on each side: ``n_fft // 2`` for centred frames.
    length
        Samples of the result; as many as the frames cover, less the padding, if None.
    engine
        Name of an engine, see `tonearm_plugins.dsp.engines`.
    threads
        Largest number of threads.
    require_finite
        Whether to raise an error if a value is NaN or infinite. This costs no pass over the values.
    on_peak
        Function called with the largest absolute sample, NaN if there is one. This costs no pass over the samples.
    on_progress
        Function called with the frames of all channels that are done, and with the number of all.

    Returns
    -------
    ndarray
        (channels, length), float32, or float64 from complex128. Samples that no frame reaches are zero.

    Raises
    ------
    ShapeError
        If an array has the wrong rank, type or size.
    NotInvertibleError
        If the frames do not cover every sample.
    NotFiniteError
        If a value is NaN or infinite, and that is asked for.
    EngineError
        If the engine that was asked for cannot do the work.

    Examples
    --------
    >>> from tonearm_plugins.dsp.stft import stft
    >>> frames = {"window": np.hanning(1024), "hop_length": 256, "pad": 512}
    >>> tone = np.sin(np.arange(5120) / 10)[None]
    >>> bool(np.allclose(istft(stft(tone, **frames), **frames), tone, atol=1e-5))
    True
    """
    spectrum = require_spectrogram(spectrum, kinds="c")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=spectrum.shape[2], length=length)
    require_bins(spectrum, grid)
    grid.require_invertible()
    double = spectrum.dtype.itemsize > 8
    chosen = choose(engine, grid, double=double)
    out = np.empty((spectrum.shape[0], grid.length), np.float64 if double else np.float32)
    peaks = [0.0]
    for number, (channel, result) in enumerate(zip(spectrum, out, strict=True)):
        chosen.istft(
            channel,
            grid,
            out=result,
            threads=threads,
            require_finite=require_finite,
            on_peak=peaks.append if on_peak else None,
            on_progress=frames_of(on_progress, number, spectrum.shape),
        )
    if on_peak:
        on_peak(float(np.max(peaks)))
    return out


class IstftStream:
    """The inverse STFT of a spectrogram that comes in blocks of frames.

    However the frames are cut, the samples have the bits that `istft` gives of all frames. The frames that still reach
    samples to come are kept, and inverted again with the next ones: memory does not grow.

    Parameters
    ----------
    window, hop_length, pad, length, engine, threads, require_finite, on_peak,
    on_progress
        As in `istft`. Peaks and progress are reported if all frames come at once.
    samples_of
        Function from a number of frames to the length of their signal, which never decreases. It applies if ``length``
        is None; by default the signal has as many samples as the frames cover, less the padding.

    Raises
    ------
    NotInvertibleError
        If the frames do not cover every sample.
    NotFiniteError
        If a value is NaN or infinite, and that is asked for.

    Examples
    --------
    >>> from tonearm_plugins.dsp.stft import stft
    >>> frames = {"window": np.hanning(1024), "hop_length": 256, "pad": 512}
    >>> spectrum = stft(np.sin(np.arange(5120) / 10)[None], **frames)
    >>> stream = IstftStream(**frames)
    >>> parts = [stream.push(spectrum[..., :9]), stream.push(spectrum[..., 9:]), stream.finish()]
    >>> [part.shape[1] for part in parts]
    [1792, 3072, 256]
    >>> bool(np.array_equal(np.concatenate(parts, axis=1), istft(spectrum, **frames)))
    True
    """

    def __init__(
        self,
        *,
        window: npt.ArrayLike,
        hop_length: int,
        pad: int = 0,
        length: int | None = None,
        samples_of: Callable[[int], int] | None = None,
        engine: str = "auto",
        threads: int = 1,
        require_finite: bool = False,
        on_peak: Callable[[float], None] | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=1)
        self._grid.require_invertible()
        self._length = length
        self._samples_of = samples_of or self._samples_covered
        self._engine, self._threads, self._on_progress = engine, threads, on_progress
        self._require_finite, self._on_peak = require_finite, on_peak
        self._kept: Array | None = None  # frames from `_first` on
        self._first = self._frames = 0
        self._at = pad  # where the next sample is on the padded time axis
        self._read = 0

    def push(self, spectrum: Array) -> FloatArray:
        """Return the samples that more frames complete: (channels, samples), which may be none.

        Parameters
        ----------
        spectrum
            (channels, bins, frames), complex. It may be mapped from a file.
        """
        kept = self._with(spectrum)
        complete = self._frames * self._grid.hop_length
        return self._until(kept, min(complete, self._end()))

    def finish(self) -> FloatArray | None:
        """Return the rest of the signal; None if no frame came."""
        return None if self._kept is None else self._until(self._kept, self._end())

    def push_last(self, spectrum: Array) -> FloatArray:
        """Return the rest of the signal with the last frames. If they are all frames, `istft` inverts them in place."""
        if self._kept is not None:
            return self._until(self._with(spectrum), self._end())
        return istft(
            spectrum,
            window=self._grid.window,
            hop_length=self._grid.hop_length,
            pad=self._grid.pad,
            length=self._samples_of(spectrum.shape[-1]) if self._length is None else self._length,
            engine=self._engine,
            threads=self._threads,
            require_finite=self._require_finite,
            on_peak=self._on_peak,
            on_progress=self._on_progress,
        )

    def _with(self, spectrum: Array) -> Array:
        """Return the frames that are kept, and new ones after them."""
        spectrum = require_spectrogram(spectrum, kinds="c")
        require_bins(spectrum, self._grid)
        if self._require_finite:
            not_finite.require_finite(spectrum)
        self._frames += spectrum.shape[2]
        if self._kept is None or not self._kept.shape[2]:
            return spectrum
        kept = np.concatenate((self._kept, spectrum), axis=2)
        self._read += spectrum.nbytes
        if self._read >= RELEASE_BYTES:
            MappedMemory(spectrum).release()
            self._read = 0
        return kept

    def _end(self) -> int:
        """Return where the signal ends on the padded time axis if no frames follow."""
        length = self._samples_of(self._frames) if self._length is None else self._length
        return self._grid.pad + length

    def _samples_covered(self, frames: int) -> int:
        grid = self._grid
        return max(0, grid.n_fft + grid.hop_length * (frames - 1) - 2 * grid.pad)

    def _until(self, frames: Array, end: int) -> FloatArray:
        """Return the next samples until a point on the padded time axis, and keep the frames that reach beyond it."""
        window, hop = self._grid.window, self._grid.hop_length
        double = frames.dtype.itemsize > 8
        samples = max(0, end - self._at)
        out = np.zeros((frames.shape[0], samples), np.float64 if double else np.float32)
        chosen = choose(self._engine, self._grid, double=double)
        if samples and frames.shape[2]:
            pad = self._at - self._first * hop
            grid = FrameGrid.checked(window, hop_length=hop, pad=pad, frames=frames.shape[2], length=samples)
            for channel, result in zip(frames, out, strict=True):
                chosen.istft(channel, grid, out=result, threads=self._threads)
        self._at += samples
        needed = min(self._at // hop - self._grid.overlap + 1, self._frames)
        first = max(needed - needed % chosen.frames_at_once(self._grid), self._first)
        self._kept = np.asarray(frames)[..., first - self._first :].copy(order="K")
        self._first = first
        return out


def require_spectrogram(array: Array, *, kinds: str) -> Array:
    """Return the array, or raise `ShapeError` unless it is (channels, bins, frames) of the right type.

    Parameters
    ----------
    array
        Any array.
    kinds
        Kinds of number that are allowed, as `numpy.dtype.kind` has them: ``c``, or ``fiu`` for real numbers.

    Examples
    --------
    >>> require_spectrogram(np.zeros((1, 513, 9)), kinds="fiu").shape
    (1, 513, 9)
    """
    array = np.asanyarray(array)
    if array.ndim != 3 or array.dtype.kind not in kinds:
        what = "complex" if kinds == "c" else "real"
        raise ShapeError(f"a spectrogram is {what}, (channels, bins, frames), not {array.dtype} of shape {array.shape}")
    return array


def require_bins(array: Array, grid: FrameGrid) -> None:
    """Raise `ShapeError` unless a spectrogram, (channels, bins, frames), has as many bins as the window gives.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(1024), hop_length=256, pad=0, frames=9)
    >>> require_bins(np.zeros((1, 513, 9)), grid)
    """
    if array.shape[1] != grid.bins:
        raise ShapeError(f"{array.shape[1]} bins do not fit n_fft {grid.n_fft}, which has {grid.bins}")
