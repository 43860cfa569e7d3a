"""The forward STFT: frames, window, real FFT."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.engines import scipy as blocked
from tonearm_plugins.dsp.engines.native import stft_kernel as forward
from tonearm_plugins.dsp.engines.native.block_layout import why_not
from tonearm_plugins.dsp.framing import FrameGrid, ShapeError

PadMode = Literal["constant", "reflect", "edge", "symmetric", "wrap"]


def stft(
    samples: npt.ArrayLike, *, window: npt.ArrayLike, hop_length: int, pad: int = 0, pad_mode: PadMode = "constant"
) -> npt.NDArray[np.complex64]:
    """Return the STFT, (channels, bins, frames), as ``librosa.stft`` defines it.

    Parameters
    ----------
    samples
        (channels, samples), real.
    window
        ``n_fft`` values.
    hop_length
        Samples from frame to frame.
    pad, pad_mode
        Samples to add on each side, and how, as `numpy.pad` names it.
    """
    signal = np.asarray(samples)
    if signal.ndim != 2 or signal.dtype.kind not in "fiu":
        raise ShapeError(f"samples are real, (channels, samples), not {signal.dtype} of shape {signal.shape}")
    n_fft = np.asarray(window).size
    frames = 1 + (signal.shape[1] + 2 * pad - n_fft) // hop_length if hop_length > 0 else 0
    if frames < 1:
        raise ShapeError(f"{signal.shape[1]} samples, {pad} more on each side, are less than one frame of {n_fft}")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=frames, length=signal.shape[1])
    out = np.empty((signal.shape[0], grid.bins, frames), np.complex64)
    native = choose("auto", native_refusal=why_not(grid.n_fft, hop_length)) == "native"
    analyse = forward.stft if native else blocked.stft
    for channel, result in zip(signal, out, strict=True):
        analyse(padded(channel, pad, pad_mode), grid, out=result)
    return out


def padded(signal: npt.NDArray[Any], pad: int, pad_mode: PadMode) -> npt.NDArray[np.float32]:
    """Return one channel with ``pad`` samples more on each side, as float32."""
    if pad_mode == "reflect" and pad >= signal.size:
        raise ShapeError(f"{signal.size} samples are too few to be reflected over {pad}")
    return np.pad(signal.astype(np.float32), pad, mode=pad_mode)
