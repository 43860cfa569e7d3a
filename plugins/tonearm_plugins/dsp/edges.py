"""Where sound begins, pauses and ends: levels in short windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.level import BLOCK, stretches

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
