"""The STFT: frames, window, real FFT."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.frame_stream import FramePlan, FrameStream
from tonearm_plugins.dsp.framing import FrameGrid, PadMode, ends_of
from tonearm_plugins.dsp.progress import OnProgress, frames_of
from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray


def stft(
    samples: npt.ArrayLike,
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    pad_mode: PadMode = "constant",
    frames: int | None = None,
    double: bool = False,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> ComplexArray:
    """Return the STFT as ``librosa.stft`` defines it.

    Parameters
    ----------
    samples
        (channels, samples), real.
    window
        ``n_fft`` values.
    hop_length
        Samples from one frame to the next.
    pad
        Samples to add on each side: ``n_fft // 2`` for centred frames.
    pad_mode
        Values of the added samples, as `numpy.pad` names them.
    frames
        Number of frames, the last of which are completed with zeros; all whole frames if None.
    double
        Whether to compute in double precision.
    threads
        Largest number of threads.
    on_progress
        Function called with the frames of all channels that are done, and with the number of all.

    Returns
    -------
    ndarray
        (channels, n_fft // 2 + 1, frames), complex64, or complex128 in double precision.

    Raises
    ------
    ShapeError
        If an array has the wrong rank or type, or there are fewer samples than one frame has.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * np.arange(5120) / 16)[None]
    >>> spectrum = stft(tone, window=np.hanning(1024), hop_length=256, pad=512)
    >>> spectrum.shape
    (1, 513, 21)
    >>> int(np.abs(spectrum[0, :, 10]).argmax())  # 1024 / 16
    64
    """
    signal = np.asarray(samples)
    if signal.ndim != 2 or signal.dtype.kind not in "fiu":
        raise ShapeError(f"samples are real, (channels, samples), not {signal.dtype} of shape {signal.shape}")
    n_fft = np.asarray(window).size
    if frames is None:
        frames = 1 + (signal.shape[1] + 2 * pad - n_fft) // hop_length if hop_length > 0 else 0
    if frames < 1:
        raise ShapeError(f"{signal.shape[1]} samples, {pad} more on each side, are less than one frame of {n_fft}")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=frames, length=signal.shape[1])
    out = np.empty((signal.shape[0], grid.bins, frames), np.complex128 if double else np.complex64)
    engine = choose("auto", grid, double=double)
    for number, (channel, result) in enumerate(zip(signal, out, strict=True)):
        given: FloatArray = np.ascontiguousarray(channel, np.float64 if double else np.float32)
        ends = ends_of(given, (pad, pad), pad_mode)
        report = frames_of(on_progress, number, out.shape)
        engine.stft(given, grid, out=result, ends=ends, threads=threads, on_progress=report)
    return out


def stft_stream(
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    pad_mode: PadMode = "constant",
    frames_of: Callable[[int], int] | None = None,
    double: bool = False,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> FrameStream:
    """Return the STFT of a signal that comes block by block: the bits that `stft` gives, however it is cut.

    Parameters
    ----------
    window, hop_length, pad, pad_mode, double, threads, on_progress
        As in `stft`. Progress is reported if all samples come at once.
    frames_of
        Function from a number of samples to the number of frames, the last of which are completed with zeros; all whole
        frames if None, and where it gives 0.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * np.arange(5120) / 16)[None]
    >>> frames = {"window": np.hanning(1024), "hop_length": 256, "pad": 512}
    >>> stream = stft_stream(**frames)
    >>> parts = [stream.push(tone[:, :3000]), stream.push(tone[:, 3000:]), stream.finish()]
    >>> [part.shape[2] for part in parts]
    [10, 9, 2]
    >>> bool(np.array_equal(np.concatenate(parts, axis=2), stft(tone, **frames)))
    True
    """
    values = np.asarray(window)
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=1)
    engine = choose("auto", grid, double=double)
    dtype = np.complex128 if double else np.complex64

    def whole_frames(samples: int) -> int:
        return max(0, 1 + (samples + 2 * pad - values.size) // hop_length)

    def whole(samples: Array) -> Array:
        return stft(
            samples,
            window=values,
            hop_length=hop_length,
            pad=pad,
            pad_mode=pad_mode,
            frames=(frames_of(samples.shape[-1]) or None) if frames_of else None,
            double=double,
            threads=threads,
            on_progress=on_progress,
        )

    def analyse(samples: Array, _: int, frames: int) -> Array:
        out = np.empty((samples.shape[0], grid.bins, frames), dtype)
        if frames:
            local = FrameGrid.checked(values, hop_length=hop_length, pad=0, frames=frames)
            for channel, result in zip(samples, out, strict=True):
                engine.stft(channel, local, out=result, threads=threads)
        return out

    plan = FramePlan(
        n_fft=grid.n_fft,
        hop_length=hop_length,
        pad=pad,
        pad_mode=pad_mode,
        frames=frames_of or whole_frames,
        after=lambda _: pad,
    )
    real = np.float64 if double else np.float32
    return FrameStream(plan, whole=whole, analyse=analyse, conditioned=lambda samples: samples.astype(real))
