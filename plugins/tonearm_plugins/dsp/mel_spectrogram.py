"""The mel spectrogram of a waveform, in float64: what every model family begins with, in their several ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.scipy import blocks
from tonearm_plugins.dsp.framing import ShapeError

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """What happens to samples before the window.

    Parameters
    ----------
    preemphasis
        Part of each sample that the next one loses.
    per_frame
        Whether that runs anew in each frame, whose first sample is taken to have been there before (Kaldi).
    remove_dc
        Whether each frame loses its mean first.
    """

    preemphasis: float = 0.0
    per_frame: bool = False
    remove_dc: bool = False


def mel_spectrogram(
    samples: npt.NDArray[Any],
    *,
    window: npt.ArrayLike,
    win_length: int,
    hop_length: int,
    pad: tuple[int, int],
    pad_mode: str,
    mel_basis: npt.NDArray[Any],
    power: int,
    magnitude_guard: float = 0.0,
    conditioning: Conditioning | None = None,
    threads: int = 1,
) -> Doubles:
    """Return the linear mel spectrogram, float64 (channels, mels, frames).

    float64, because a logarithm shows what float32 rounds away beside loud bins.

    Parameters
    ----------
    samples
        (channels, samples), real.
    window
        ``n_fft`` values, the window centred in them.
    win_length
        Samples of the window itself: frames are conditioned over these alone.
    hop_length
        Samples from frame to frame.
    pad, pad_mode
        Samples to add before and after, and how, as `numpy.pad` names it.
    mel_basis
        (mels, n_fft // 2 + 1).
    power
        1 for magnitudes, 2 for powers.
    magnitude_guard
        Added to the squared magnitude under the root.
    conditioning
        What happens to samples first.
    threads
        For the FFTs.

    Raises
    ------
    ShapeError
        If there are fewer samples than a frame, or than are reflected.
    """
    import scipy.fft

    conditioning = conditioning or Conditioning()
    signal = np.asarray(samples)
    values = np.asarray(window, dtype=np.float64)
    n_fft = values.size
    if signal.ndim != 2 or signal.dtype.kind not in "fiu":
        raise ShapeError(f"samples are real, (channels, samples), not {signal.dtype} of shape {signal.shape}")
    if pad_mode == "reflect" and max(pad) >= signal.shape[1]:
        raise ShapeError(f"{signal.shape[1]} samples are too few to be reflected over {max(pad)}")
    frames = 1 + (signal.shape[1] + sum(pad) - n_fft) // hop_length
    if frames < 1:
        raise ShapeError(f"{signal.shape[1]} samples are less than one frame of {n_fft}")
    basis = np.ascontiguousarray(mel_basis.T, dtype=np.float64)
    first = (n_fft - win_length) // 2
    out = np.empty((signal.shape[0], basis.shape[1], frames))
    for channel, result in zip(signal, out, strict=True):
        padded = np.pad(_emphasised(channel.astype(np.float64), conditioning), pad, mode=pad_mode)  # type: ignore[call-overload]
        view = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
        for begin, end in blocks(frames, n_fft):
            block = _conditioned(view[begin:end], slice(first, first + win_length), conditioning)
            spectra = scipy.fft.rfft(block * values, axis=1, overwrite_x=True, workers=threads)
            size = spectra.real**2 + spectra.imag**2 + magnitude_guard
            result[:, begin:end] = ((np.sqrt(size) if power == 1 else size) @ basis).T
    return out


def _emphasised(channel: Doubles, conditioning: Conditioning) -> Doubles:
    if not conditioning.preemphasis or conditioning.per_frame:
        return channel
    result = channel.copy()
    result[1:] -= conditioning.preemphasis * channel[:-1]
    return result


def _conditioned(frames: Doubles, inside: slice, conditioning: Conditioning) -> Doubles:
    """Return frames with their own mean removed and pre-emphasised, as far as asked for."""
    if not (conditioning.remove_dc or (conditioning.preemphasis and conditioning.per_frame)):
        return frames
    part = frames[:, inside]
    if conditioning.remove_dc:
        part = part - part.mean(axis=1, keepdims=True)
    if conditioning.preemphasis and conditioning.per_frame:
        part = part - conditioning.preemphasis * np.concatenate([part[:, :1], part[:, :-1]], axis=1)
    result = np.zeros(frames.shape)
    result[:, inside] = part
    return result


def preemphasis_response(preemphasis: float, n_fft: int) -> npt.NDArray[np.float32]:
    """Return by how much pre-emphasis scales each bin, (n_fft // 2 + 1,) float32: ``|1 - a exp(-i w)|``."""
    turn = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    response: npt.NDArray[np.float32] = np.abs(1 - preemphasis * turn).astype(np.float32)
    return response
