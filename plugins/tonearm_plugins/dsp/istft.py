"""The inverse STFT: least squares overlap-add."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.framing import FrameGrid
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
    for number, (channel, result) in enumerate(zip(spectrum, out, strict=True)):
        report = frames_of(on_progress, number, spectrum.shape)
        chosen.istft(channel, grid, out=result, threads=threads, on_progress=report)
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
