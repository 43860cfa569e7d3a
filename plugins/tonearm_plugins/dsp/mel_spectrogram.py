"""The mel spectrogram of a waveform, in float64, with the variations of the model families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.framing import PadMode, frame_view, frames_in_cache, padded
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.typing import Array, Float64Array


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """Processing of samples before the window.

    Parameters
    ----------
    preemphasis
        Part of each sample that is subtracted from the next one.
    per_frame
        Whether pre-emphasis starts anew in each frame, as if the first sample had come before itself (Kaldi).
    remove_dc
        Whether the mean of each frame is subtracted first.
    """

    preemphasis: float = 0.0
    per_frame: bool = False
    remove_dc: bool = False


def mel_spectrogram(
    samples: Array,
    *,
    window: npt.ArrayLike,
    win_length: int,
    hop_length: int,
    pad: tuple[int, int],
    pad_mode: PadMode,
    mel_basis: Array,
    power: int,
    magnitude_guard: float = 0.0,
    conditioning: Conditioning | None = None,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> Float64Array:
    """Return the linear mel spectrogram: (channels, mels, frames), float64.

    It is float64 because a logarithm shows what float32 rounds away next to loud bins.

    Parameters
    ----------
    samples
        (channels, samples), real.
    window
        ``n_fft`` values, with the window in their centre.
    win_length
        Samples of the window itself: frames are conditioned over these alone.
    hop_length
        Samples from one frame to the next.
    pad
        Samples to add before and after.
    pad_mode
        Values of the added samples, as `numpy.pad` names them.
    mel_basis
        (mels, n_fft // 2 + 1).
    power
        1 for sums of magnitudes, 2 for sums of powers.
    magnitude_guard
        Number added to the squared magnitude, under the root.
    conditioning
        Processing of the samples before the window.
    threads
        Threads of the FFTs.
    on_progress
        Function called with the progress, block by block and channel by channel.

    Raises
    ------
    ShapeError
        If there are fewer samples than a frame has, or than are reflected.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 4096))
    >>> basis = np.ones((1, 513))  # one band over all bins
    >>> mel = mel_spectrogram(
    ...     noise, window=np.hanning(1024), win_length=1024, hop_length=256, pad=(512, 512), pad_mode="reflect",
    ...     mel_basis=basis, power=2,
    ... )
    >>> mel.shape
    (1, 1, 17)
    """
    import scipy.fft

    conditioning = conditioning or Conditioning()
    signal = np.asarray(samples)
    values = np.asarray(window, dtype=np.float64)
    n_fft = values.size
    if signal.ndim != 2 or signal.dtype.kind not in "fiu":
        raise ShapeError(f"samples are real, (channels, samples), not {signal.dtype} of shape {signal.shape}")
    frames = 1 + (signal.shape[1] + sum(pad) - n_fft) // hop_length
    if frames < 1:
        raise ShapeError(f"{signal.shape[1]} samples are less than one frame of {n_fft}")
    basis = np.ascontiguousarray(mel_basis.T, dtype=np.float64)
    first = (n_fft - win_length) // 2
    out = np.empty((signal.shape[0], basis.shape[1], frames))
    for number, (channel, result) in enumerate(zip(signal, out, strict=True)):
        report = share_of(on_progress, number, len(signal))
        whole = padded(_with_preemphasis(channel.astype(np.float64), conditioning), pad, pad_mode)
        view = frame_view(whole, n_fft=n_fft, hop_length=hop_length)
        for block in block_slices(frames, frames_in_cache(n_fft), on_progress=report):
            conditioned = _conditioned(view[block], slice(first, first + win_length), conditioning)
            spectra = scipy.fft.rfft(conditioned * values, axis=1, overwrite_x=True, workers=threads)
            size = spectra.real**2 + spectra.imag**2 + magnitude_guard
            result[:, block] = ((np.sqrt(size) if power == 1 else size) @ basis).T
    return out


def _with_preemphasis(channel: Float64Array, conditioning: Conditioning) -> Float64Array:
    if not conditioning.preemphasis or conditioning.per_frame:
        return channel
    result = channel.copy()
    result[1:] -= conditioning.preemphasis * channel[:-1]
    return result


def _conditioned(frames: Float64Array, inside: slice, conditioning: Conditioning) -> Float64Array:
    """Return frames, (frames, n_fft), with their mean removed and pre-emphasis applied, as the conditioning says."""
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
