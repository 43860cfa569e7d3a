"""Clipping that happened before: flat tops in a waveform, found and rounded.

A sample that reaches full scale is easy to count. A waveform that was clipped and then turned down is not: its peaks
are flat, at whatever level.
"""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.levels import peak
from tonearm_plugins.dsp.typing import Array, Int64Array

NEAR_PEAK = 0.999
"""Part of the peak from which a sample may belong to a flat top."""

FLAT_STEP = 2.0**-15
"""Largest difference between neighbours in a flat top: one step of 16 bits."""

CORNER_STEP = 4 * FLAT_STEP
"""Step into or out of a flat top above which it was cut: round tops have up to three steps of 16 bits."""

MIN_PEAK = 0.01
"""Lowest peak that is looked at: below -40 dBFS, three equal samples of 16 bits are common."""

MIN_RUN = 3
"""Samples in the shortest flat top."""


def clipped_runs(channel: Array) -> Int64Array:
    """Find the flat tops of a channel that was clipped, at whatever level they are now.

    A flat top is a run of at least three equal samples at the peak, with a corner before or after it. The corner tells
    it from the round top of a slow sine, and from a constant.

    Parameters
    ----------
    channel
        Finite samples of shape (samples,).

    Returns
    -------
    Int64Array
        Index of the first sample of each run and the index after its last one, of shape (runs, 2).

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * np.arange(100) / 50)
    >>> clipped_runs(0.5 * np.clip(1.5 * sine, -1, 1)).tolist()
    [[6, 20], [31, 45], [56, 70], [81, 95]]
    >>> len(clipped_runs(sine))
    0
    """
    none = np.empty((0, 2), np.int64)
    height = peak(channel[None])
    if height < MIN_PEAK:
        return none
    high = np.concatenate(
        [
            np.flatnonzero(np.abs(channel[part]) >= NEAR_PEAK * height) + part.start
            for part in block_slices(len(channel))
        ]
    )
    apart = (np.diff(high) > 1) | (np.abs(np.diff(channel[high])) > FLAT_STEP)
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    last = np.concatenate([np.flatnonzero(apart), [len(high) - 1]])
    runs = np.stack([high[first], high[last] + 1], 1)[last - first + 1 >= MIN_RUN]
    if not len(runs):
        return none
    before, after = np.maximum(runs[:, 0] - 1, 0), np.minimum(runs[:, 1], len(channel) - 1)
    step_in = np.abs(channel[runs[:, 0]] - channel[before])
    step_out = np.abs(channel[after] - channel[runs[:, 1] - 1])
    clipped: Int64Array = runs[np.maximum(step_in, step_out) > CORNER_STEP]
    return clipped


def declip(channel: Array, runs: Int64Array) -> Array:
    """Replace flat tops by cubics that continue the samples on both sides.

    Parameters
    ----------
    channel
        Finite samples of shape (samples,).
    runs
        Flat tops of shape (runs, 2), from `clipped_runs`.

    Returns
    -------
    Array
        Copy of the channel, in the same dtype. No sample becomes smaller, because the sound was at least as high where
        it was clipped. A flat top with fewer than two samples before or after it stays.

    Examples
    --------
    >>> channel = np.array([0.0, 0.6, 1.0, 1.0, 1.0, 0.6, 0.0])
    >>> declip(channel, np.array([[2, 5]])).round(2).tolist()
    [0.0, 0.6, 1.05, 1.2, 1.05, 0.6, 0.0]
    """
    result = np.array(channel)
    runs = runs[(runs[:, 0] >= 2) & (runs[:, 1] + 2 <= len(channel))]
    if not len(runs):
        return result
    widths = runs[:, 1] - runs[:, 0]
    which = np.repeat(np.arange(len(runs)), widths)
    places = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths) + runs[which, 0]
    left, right = runs[:, 0] - 1, runs[:, 1]
    values = channel.astype(np.float64)
    span = (right - left)[which]
    t = (places - left[which]) / span
    slope_in, slope_out = (values[left] - values[left - 1])[which], (values[right + 1] - values[right])[which]
    cubic = (
        (1 + 2 * t) * (1 - t) ** 2 * values[left][which]
        + t * (1 - t) ** 2 * span * slope_in
        + t**2 * (3 - 2 * t) * values[right][which]
        + t**2 * (t - 1) * span * slope_out
    )
    sign = np.sign(values[places])
    result[places] = sign * np.maximum(sign * cubic, np.abs(values[places]))
    return result
