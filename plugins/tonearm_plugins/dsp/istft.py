"""The inverse STFT: least squares overlap-add."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.engines import librosa as peer
from tonearm_plugins.dsp.engines import scipy as blocked
from tonearm_plugins.dsp.engines.native import istft_kernel as inverse
from tonearm_plugins.dsp.engines.native.block_layout import why_not
from tonearm_plugins.dsp.framing import FloatArray, FrameGrid, ShapeError


def istft(
    spectrum: npt.NDArray[Any],
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    length: int | None = None,
    engine: str = "auto",
    threads: int = 1,
) -> FloatArray:
    """Return the signal whose STFT is nearest to ``spectrum`` in the sense of least squares.

    That is overlap-add of the windowed inverse FFTs over the sum of squared windows (Griffin and Lim, "Signal
    estimation from modified short-time Fourier transform", 1984, equation 6), exact up to the edges. Memory is the
    result and one block of frames, so a spectrum may be mapped from a file of any size.

    Parameters
    ----------
    spectrum
        (channels, bins, frames), complex, in any order of memory.
    window
        ``n_fft`` values; ``bins`` is ``n_fft // 2 + 1``.
    hop_length
        Samples from frame to frame.
    pad
        Samples that the analysis added on each side: ``n_fft // 2`` for centred frames.
    length
        Samples to give; None for what the frames cover without the padding.
    engine
        See `tonearm_plugins.dsp.engines`.
    threads
        How many may be used.

    Returns
    -------
    ndarray
        (channels, length), float32; float64 from complex128. Samples that no frame reaches are zero.
    """
    spectrum = require_spectrogram(spectrum, kinds="c")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=spectrum.shape[2], length=length)
    require_bins(spectrum, grid)
    grid.require_invertible()
    double = spectrum.dtype.itemsize > 8
    refusal = "it works in single precision" if double else why_not(grid.n_fft, grid.hop_length)
    engine = choose(engine, native_refusal=refusal)
    out = np.empty((spectrum.shape[0], grid.length), np.float64 if double else np.float32)
    for channel, result in zip(spectrum, out, strict=True):
        if engine == "librosa":
            result[:] = peer.istft(channel, grid)
        elif engine == "native":
            inverse.istft(channel, grid, out=result)
        else:
            blocked.istft(channel, grid, out=result, threads=threads)
    return out


def require_spectrogram(array: npt.NDArray[Any], *, kinds: str) -> npt.NDArray[Any]:
    """Return the array, or raise `ShapeError` unless it is (channels, bins, frames) of such numbers."""
    array = np.asanyarray(array)
    if array.ndim != 3 or array.dtype.kind not in kinds:
        what = "complex" if kinds == "c" else "real"
        raise ShapeError(f"a spectrogram is {what}, (channels, bins, frames), not {array.dtype} of shape {array.shape}")
    return array


def require_bins(array: npt.NDArray[Any], grid: FrameGrid) -> None:
    """Raise `ShapeError` unless the spectrogram has as many bins as the window says."""
    if array.shape[1] != grid.bins:
        raise ShapeError(f"{array.shape[1]} bins do not fit n_fft {grid.n_fft}, which has {grid.bins}")
