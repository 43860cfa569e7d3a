"""Sounds reduced to the pixels of a display: levels over time and frequency, and the envelope of a waveform.

Matplotlib draws arrays that fit into memory, and averages decibels where it shrinks them. These functions go through a
sound of any length block by block, and average powers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array, FloatArray

Scale = Literal["linear", "mel", "log"]

BLOCK_FRAMES = 2048
"""Frames in a block: with an n_fft of 2,048 its powers take 16 MiB."""

_LOWEST_HZ = 20.0  # at the bottom of a logarithmic axis
_FLOOR = 1e-20  # smallest power: −200 dB


def hop_for(length: int, n_fft: int, columns: int) -> int:
    """Hop length that gives about two frames a column.

    The hop is at most a quarter of a frame, so that frames overlap, and at least 1/32 of one.

    Parameters
    ----------
    length
        Number of samples.
    n_fft
        Samples of a frame.
    columns
        Width of the display in pixels.

    Examples
    --------
    >>> hop_for(66_150, 1024, 1000)
    33
    """
    return int(np.clip(length // (2 * columns), max(1, n_fft // 32), max(1, n_fft // 4)))


def stft_powers(
    samples: FloatArray, window: FloatArray, hop_length: int, on_progress: OnProgress | None = None
) -> Iterator[FloatArray]:
    """Power spectrogram of a waveform, block by block.

    Parameters
    ----------
    samples
        Samples of one channel (samples,).
    window
        Window (n_fft,).
    hop_length
        Samples from frame to frame. Frame t is centred on sample t · hop_length.
    on_progress
        Function called with the frames that are done, and with the number of all.

    Yields
    ------
    powers
        Powers (bins, frames) float64, 1 for a sine of full scale.

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * np.arange(4096) / 16)
    >>> (powers,) = stft_powers(sine, np.hanning(1024), 256)
    >>> powers.shape
    (513, 16)
    >>> round(float(powers[64, 8]), 2)  # 1024 / 16
    1.0
    """
    from tonearm_plugins.dsp.stft import stft

    n_fft, length = window.size, samples.size
    frames = 1 + (length - 1) // hop_length
    unit = (window.sum() / 2) ** 2
    for block in block_slices(frames, BLOCK_FRAMES, on_progress=on_progress):
        start, stop = block.start * hop_length - n_fft // 2, (block.stop - 1) * hop_length + n_fft - n_fft // 2
        inside = np.asarray(samples[max(start, 0) : min(stop, length)], np.float32)
        padded = np.pad(inside, (max(-start, 0), max(stop - length, 0)))
        values = stft(padded[None], window=window, hop_length=hop_length)[0]
        yield (values.real.astype(np.float64) ** 2 + values.imag.astype(np.float64) ** 2) / unit


def value_powers(
    values: Array, unit: float, exponent: int = 1, on_progress: OnProgress | None = None
) -> Iterator[FloatArray]:
    """Powers of the values of a spectrogram, block by block.

    Parameters
    ----------
    values
        Magnitudes or complex values (exponent 1), or powers (exponent 2): (bins, frames).
    unit
        Value that has a power of 1.
    exponent
        1 or 2.
    on_progress
        Function called with the frames that are done, and with the number of all.

    Yields
    ------
    powers
        Powers (bins, frames) float64.

    Examples
    --------
    >>> list(value_powers(np.array([[4.0, 3.0 + 4.0j]]), unit=2.0))
    [array([[4.  , 6.25]])]
    """
    for part in block_slices(values.shape[1], BLOCK_FRAMES, on_progress=on_progress):
        block = np.abs(values[:, part]).astype(np.float64) / unit
        yield block if exponent == 2 else block**2


def pooled(blocks: Iterator[FloatArray], frames: int, most: int) -> FloatArray:
    """Powers with neighbouring frames averaged, so that no more than ``most`` remain.

    Parameters
    ----------
    blocks
        Powers (bins, frames), block by block.
    frames
        Number of frames in all blocks.
    most
        Largest number of frames to return.

    Returns
    -------
    powers
        Mean powers (bins, min(frames, most)).

    Examples
    --------
    >>> pooled(iter([np.array([[1.0, 3.0, 5.0, 7.0]])]), 4, 2)
    array([[2., 6.]])
    """
    cells = min(frames, most)
    if not cells:
        raise ValueError("there are no frames")
    total: FloatArray | None = None
    counts = np.zeros(cells)
    done = 0
    for block in blocks:
        where = (np.arange(done, done + block.shape[1]) * cells) // frames
        done += block.shape[1]
        starts = np.flatnonzero(np.diff(where, prepend=-1))
        if total is None:
            total = np.zeros((block.shape[0], cells))
        total[:, where[0] : where[-1] + 1] += np.add.reduceat(block, starts, axis=1)
        counts += np.bincount(where, minlength=cells)
    assert total is not None
    return total / counts


def band_response(basis: FloatArray, window: FloatArray, exponent: int) -> FloatArray:
    """Largest value that a sine of magnitude 1 gives in each band of a filter bank.

    Parameters
    ----------
    basis
        Weights (bands, bins).
    window
        Window (n_fft,), which spreads a sine over neighbouring bins.
    exponent
        1 for a bank that sums magnitudes, 2 for one that sums powers.

    Returns
    -------
    response
        Values (bands,).

    Examples
    --------
    >>> band_response(np.eye(513)[:3], np.hanning(1024), 1).round(2)  # each band is a bin
    array([1., 1., 1.])
    """
    spread = np.abs(np.fft.rfft(window))[:9] / window.sum()
    lobe = np.concatenate([spread[:0:-1], spread]) ** exponent
    return np.array([np.convolve(band, lobe, "same").max() for band in basis])


def decibels(powers: FloatArray) -> FloatArray:
    """Levels of powers in dB; −200 for silence.

    Examples
    --------
    >>> decibels(np.array([1.0, 0.01, 0.0]))
    array([   0.,  -20., -200.])
    """
    return np.asarray(10 * np.log10(np.maximum(powers, _FLOOR)))


def row_levels(powers: FloatArray, frequencies: FloatArray, edges: FloatArray) -> FloatArray:
    """Levels of rows that each span a range of frequencies.

    The level of a row is that of its mean power. Rows narrower than a bin are interpolated between the levels of bins.

    Parameters
    ----------
    powers
        Powers (bins, frames).
    frequencies
        Frequency of each bin in Hz, ascending (bins,).
    edges
        Frequencies in Hz between the rows, ascending (rows + 1,).

    Returns
    -------
    levels
        Levels in dB (rows, frames), the lowest frequency first.

    Examples
    --------
    >>> powers = np.array([[1.0], [1.0], [0.01], [0.01]])
    >>> row_levels(powers, np.array([0.0, 100.0, 200.0, 300.0]), np.array([0.0, 200.0, 400.0]))
    array([[  0.],
           [-20.]])
    """
    places = np.interp(edges, frequencies, np.arange(frequencies.size))  # in bins
    low, high = places[:-1], places[1:]
    middle = (low + high) / 2
    below = np.clip(np.floor(middle).astype(int), 0, max(frequencies.size - 2, 0))
    above = np.minimum(below + 1, frequencies.size - 1)
    levels = decibels(powers)
    part = (middle - below)[:, None]
    found = levels[below] * (1 - part) + levels[above] * part
    wide = np.flatnonzero(high - low > 1.5)
    if wide.size:
        sums = np.concatenate([np.zeros((1, powers.shape[1])), np.cumsum(powers, axis=0)])
        first, last = np.rint(low[wide]).astype(int), np.rint(high[wide]).astype(int)
        found[wide] = decibels(np.maximum(sums[last] - sums[first], 0) / (last - first)[:, None])
    return np.asarray(found)


def to_scale(frequencies: npt.ArrayLike, scale: Scale) -> FloatArray:
    """Places of frequencies on an axis.

    ``mel`` is O'Shaughnessy's formula without its factor, ``log`` begins at 20 Hz.

    Examples
    --------
    >>> low, tone, high = to_scale([20, 440, 20_000], "log")
    >>> round(float((tone - low) / (high - low)), 3)
    0.447
    """
    values = np.asarray(frequencies, np.float64)
    if scale == "mel":
        return np.asarray(np.log1p(values / 700))
    return np.asarray(np.log(np.maximum(values, _LOWEST_HZ))) if scale == "log" else values


def from_scale(places: npt.ArrayLike, scale: Scale) -> FloatArray:
    """Frequencies in Hz at places of an axis: the inverse of `to_scale`.

    Examples
    --------
    >>> from_scale(to_scale([100.0, 1000.0], "mel"), "mel").round(3)
    array([ 100., 1000.])
    """
    values = np.asarray(places, np.float64)
    if scale == "mel":
        return np.asarray(np.expm1(values) * 700)
    return np.asarray(np.exp(values)) if scale == "log" else values


def envelope(samples: Array, columns: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Envelope of a waveform, column by column.

    A column begins with the sample on which its neighbour ended, so that the envelope has no gaps.

    Parameters
    ----------
    samples
        Samples of one channel (samples,).
    columns
        Number of columns.

    Returns
    -------
    low, high, rms
        Smallest sample, largest sample and root mean square of each column: (columns,) float64 each.

    Examples
    --------
    >>> low, high, rms = envelope(np.array([0.0, 3.0, -4.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]), 2)
    >>> low, high
    (array([-4.,  1.]), array([3., 1.]))
    """
    length = samples.size
    if length < 2 * columns:
        times = -(-4 * columns // max(length - 1, 1))  # points a sample; the samples themselves are among them
        places = np.arange(max(length - 1, 1) * times + 1) / times
        samples, length = np.interp(places, np.arange(length), samples), places.size
    edges = (np.arange(columns + 1) * (length - 1)) // columns
    starts = edges[:-1]
    low = np.minimum(np.minimum.reduceat(samples, starts), samples[np.minimum(edges[1:], length - 1)])
    high = np.maximum(np.maximum.reduceat(samples, starts), samples[np.minimum(edges[1:], length - 1)])
    counts = np.diff(np.append(starts, length))
    squares = np.add.reduceat(np.square(samples, dtype=np.float64), starts) / counts
    return low.astype(np.float64), high.astype(np.float64), np.sqrt(squares)


def round_up(value: float) -> float:
    """Next number of the form 1, 2 or 5 times a power of ten; 1 for silence.

    Examples
    --------
    >>> round_up(0.37)
    0.5
    """
    if not value > 0:
        return 1.0
    unit = 10 ** np.floor(np.log10(value))
    return float(next(factor * unit for factor in (1, 2, 5, 10) if value <= factor * unit * (1 + 1e-9)))
