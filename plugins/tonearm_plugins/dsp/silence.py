"""Silence: where sound begins and ends, where it pauses, and where to cut it.

Levels are taken in short windows that follow one another. A window is loud or silent as a whole.
"""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.typing import Array, BoolArray, Float64Array, IndexArray

WINDOW_MS = 10
"""Length of a window in ms: short enough for the onset of a consonant, and one period of 100 Hz."""


def sound_bounds(samples: Array, threshold: float) -> tuple[int, int] | None:
    """Find the first and the last sample above a threshold, over all channels.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).
    threshold
        Amplitude; a sample that equals it is silence.

    Returns
    -------
    tuple of int or None
        Index of the first loud sample, and the index after the last one. None if no sample is loud.

    Examples
    --------
    >>> sound_bounds(np.array([[0.0, 0.0, 0.5, 0.0, -0.5, 0.0]]), 0.01)
    (2, 5)
    """
    first, last = samples.shape[1], 0
    for channel in samples:
        for part in block_slices(len(channel)):
            loud = np.flatnonzero(np.abs(channel[part]) > threshold)
            if len(loud):
                first, last = min(first, part.start + int(loud[0])), max(last, part.start + int(loud[-1]) + 1)
    return (first, last) if last else None


def window_powers(samples: Array, window: int) -> Float64Array:
    """Measure the power of the loudest channel in each window.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).
    window
        Length of a window in samples.

    Returns
    -------
    Float64Array
        Mean square of each window, of shape (windows,). The last window may be shorter. A window with NaN or infinity
        has an infinite power, so that it is not taken for silence.

    Examples
    --------
    >>> window_powers(np.array([[0.0, 0.0, 0.5, -0.5, 1.0]]), 2).tolist()
    [0.0, 0.25, 1.0]
    """
    length = samples.shape[1]
    result = np.empty(-(-length // window))
    for part in block_slices(length, multiple_of=window):
        block = samples[:, part].astype(np.float64)
        with np.errstate(over="ignore"):
            np.multiply(block, block, out=block)
            sums = np.add.reduceat(block, np.arange(0, block.shape[1], window), axis=1).max(axis=0)
        result[part.start // window :][: len(sums)] = sums
    result[:-1] /= window
    result[-1] /= length - (len(result) - 1) * window
    result[~np.isfinite(result)] = np.inf
    return result


def loud_windows(powers: Float64Array, threshold_db: float, *, relative: bool) -> BoolArray:
    """Tell windows with sound from silent ones.

    Parameters
    ----------
    powers
        Power of each window, from `window_powers`.
    threshold_db
        RMS level in dB above which a window is loud.
    relative
        Whether the threshold is relative to the loudest window, and not to full scale.

    Returns
    -------
    BoolArray
        Whether each window is loud, of shape (windows,).

    Examples
    --------
    >>> loud_windows(np.array([1e-6, 0.01, 0.25]), -20, relative=True).tolist()
    [False, True, True]
    """
    finite = powers[np.isfinite(powers)]
    reference = float(finite.max()) if relative and finite.size else 1.0
    loud: BoolArray = powers > reference * 10 ** (threshold_db / 10)
    return loud


def pause_centers(loud: BoolArray, min_windows: int) -> IndexArray:
    """Find the middle of each pause between sounds.

    Parameters
    ----------
    loud
        Whether each window is loud, from `loud_windows`.
    min_windows
        Shortest pause in windows.

    Returns
    -------
    IndexArray
        Index of the window in the middle of each pause, of shape (pauses,). Silence at either end is no pause.

    Examples
    --------
    >>> pause_centers(np.array([False, True, False, False, False, True]), 2).tolist()
    [3]
    """
    sounds = np.flatnonzero(loud)
    gaps = np.diff(sounds) - 1
    wide = gaps >= max(min_windows, 1)
    centers: IndexArray = sounds[:-1][wide] + 1 + gaps[wide] // 2
    return centers


def drop_close_cuts(cuts: IndexArray, length: int, min_length: int) -> list[int]:
    """Drop the cuts that would make a piece too short.

    Parameters
    ----------
    cuts
        Indices of the first sample after each cut, in ascending order.
    length
        Length of the signal in samples.
    min_length
        Shortest piece in samples.

    Returns
    -------
    list of int
        Cuts that are at least ``min_length`` samples apart from each other and from both ends; the first of several is
        kept.

    Examples
    --------
    >>> drop_close_cuts(np.array([2, 10, 12, 19]), 20, 5)
    [10]
    """
    kept: list[int] = []
    before = 0
    for cut in cuts:
        if cut - before >= min_length and length - cut >= min_length:
            kept.append(int(cut))
            before = int(cut)
    return kept


def cut_long_pieces(cuts: list[int], length: int, max_length: int, powers: Float64Array, window: int) -> list[int]:
    """Add cuts in the quietest windows, so that no piece is too long.

    Parameters
    ----------
    cuts
        Indices of the first sample after each cut, in ascending order.
    length
        Length of the signal in samples.
    max_length
        Longest piece in samples. A cut is put in the second half of this length.
    powers
        Power of each window, from `window_powers`.
    window
        Length of a window in samples.

    Returns
    -------
    list of int
        The cuts that were given, and more, in ascending order.

    Examples
    --------
    >>> cut_long_pieces([], 60, 40, np.array([9.0, 9.0, 9.0, 1.0, 9.0, 9.0]), 10)
    [35]
    """
    result: list[int] = []
    before = 0
    for end in (*cuts, length):
        while end - before > max_length:
            first, last = before + max_length // 2, before + max_length
            windows = powers[first // window : max(last // window, first // window + 1)]
            cut = (first // window + int(windows.argmin())) * window + window // 2
            before = min(max(cut, before + 1), last)
            result.append(before)
        if end < length:
            result.append(end)
            before = end
    return result
