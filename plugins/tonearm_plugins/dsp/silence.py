"""Where sound begins, pauses and ends: levels in short windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.levels import BLOCK, stretches

Doubles = npt.NDArray[np.float64]

WINDOW_MS = 10
"""Milliseconds of a window, which follow one another: short enough for the onset of a consonant, and one period of 100
Hz."""


def window_powers(samples: npt.NDArray[Any], window: int) -> Doubles:
    """Return the mean square of each window in the loudest channel: (windows,); the last window may be shorter.

    A window with a value that is not finite is taken for endlessly loud, so that nobody takes it for silence.

    Parameters
    ----------
    samples
        (channels, samples).
    window
        In samples.
    """
    length = samples.shape[1]
    result = np.empty(-(-length // window))
    step = max(1, BLOCK // window) * window
    for part in stretches(length, step):
        block = samples[:, part].astype(np.float64)
        with np.errstate(over="ignore"):
            np.multiply(block, block, out=block)
            sums = np.add.reduceat(block, np.arange(0, block.shape[1], window), axis=1).max(axis=0)
        result[part.start // window :][: len(sums)] = sums
    result[:-1] /= window
    result[-1] /= length - (len(result) - 1) * window
    result[~np.isfinite(result)] = np.inf
    return result


def loud_windows(powers: Doubles, threshold_db: float, *, relative: bool) -> npt.NDArray[np.bool_]:
    """Return which windows are sound.

    Parameters
    ----------
    powers
        From `window_powers`.
    threshold_db
        Those above it are: in dBFS of their RMS, or, ``relative``, in dB beside the loudest window.
    """
    finite = powers[np.isfinite(powers)]
    reference = float(finite.max()) if relative and finite.size else 1.0
    loud: npt.NDArray[np.bool_] = powers > reference * 10 ** (threshold_db / 10)
    return loud


def middles_of_pauses(loud: npt.NDArray[np.bool_], least: int) -> npt.NDArray[np.intp]:
    """Return the window in the middle of each pause of at least so many windows, between sounds: (pauses,)."""
    sounds = np.flatnonzero(loud)
    gaps = np.diff(sounds) - 1
    wide = gaps >= max(least, 1)
    middles: npt.NDArray[np.intp] = sounds[:-1][wide] + 1 + gaps[wide] // 2
    return middles


def well_apart(cuts: npt.NDArray[np.intp], length: int, least: int) -> list[int]:
    """Return those cuts between which, and the ends, there are at least so many samples, from the first on."""
    kept: list[int] = []
    before = 0
    for cut in cuts:
        if cut - before >= least and length - cut >= least:
            kept.append(int(cut))
            before = int(cut)
    return kept


def none_longer(cuts: list[int], length: int, most: int, powers: Doubles, window: int) -> list[int]:
    """Return cuts, and more, so that no piece is longer than so many samples; those lie in the quietest windows.

    A cut is looked for in the second half of what a piece may have.
    """
    result: list[int] = []
    before = 0
    for end in (*cuts, length):
        while end - before > most:
            first, last = before + most // 2, before + most
            windows = powers[first // window : max(last // window, first // window + 1)]
            cut = (first // window + int(windows.argmin())) * window + window // 2
            before = min(max(cut, before + 1), last)
            result.append(before)
        if end < length:
            result.append(end)
            before = end
    return result
