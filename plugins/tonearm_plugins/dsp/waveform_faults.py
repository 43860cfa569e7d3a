"""What can be wrong with a waveform, and how it is mended; samples are (channels, samples) and float throughout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]

BLOCK = 1 << 20
"""Samples of a channel looked at together, so that a mapped file never comes into memory as a whole."""

TOP = 0.999
"""Times the peak: from here on a sample may belong to a flat top."""

FLAT = 2.0**-15
"""Samples of a flat top differ by at most the step of 16 bits."""

EDGE = 4 * FLAT
"""A flat top is cut, not round, where the step into it or out of it is greater; round ones reach three steps."""

LEAST_PEAK = 0.01
"""Below -40 dBFS, three equal samples of 16 bits at the peak happen by themselves."""

RUN = 3  # samples of a flat top
FRAME = 1024
FRAMES = 256  # of the spectrum, at most
FADE = 0.005  # seconds


def count_not_finite(samples: Samples) -> int:
    """Return how many samples are NaN or infinite."""
    return sum(int(np.count_nonzero(~np.isfinite(block))) for channel in samples for block in _blocks(channel))


def fill_not_finite(samples: Samples) -> Samples:
    """Return a copy with straight lines across what is NaN or infinite; ends hold the nearest value, else 0."""
    filled = np.array(samples)
    for channel in filled:
        bad = ~np.isfinite(channel)
        if bad.all():
            channel[:] = 0
        elif bad.any():
            channel[bad] = np.interp(np.flatnonzero(bad), np.flatnonzero(~bad), channel[~bad])
    return filled


def peak(samples: Samples) -> float:
    """Return the greatest absolute value."""
    return max(float(max(block.max(), -block.min())) for channel in samples for block in _blocks(channel))


def count_beyond(samples: Samples, limit: float) -> int:
    """Return how many samples have an absolute value above a limit."""
    return sum(int(np.count_nonzero(np.abs(block) > limit)) for channel in samples for block in _blocks(channel))


def flat_tops(channel: Samples) -> npt.NDArray[np.int64]:
    """Return where a channel was clipped, whatever gain came later: (runs, 2), first sample and the one after the last.

    A flat top is three and more samples alike at the peak, with a corner before or after it. That tells it from the
    round top of a slow sine, and from a constant.
    """
    none = np.empty((0, 2), np.int64)
    height = peak(channel[None])
    if height < LEAST_PEAK:
        return none
    starts = range(0, len(channel), BLOCK)
    parts = (
        np.flatnonzero(np.abs(block) >= TOP * height) + start
        for start, block in zip(starts, _blocks(channel), strict=True)
    )
    high = np.concatenate([*parts])
    values = channel[high]
    apart = (np.diff(high) > 1) | (np.abs(np.diff(values)) > FLAT)
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    last = np.concatenate([np.flatnonzero(apart), [len(high) - 1]])
    runs = np.stack([high[first], high[last] + 1], 1)[last - first + 1 >= RUN]
    if not len(runs):
        return none
    before, after = np.maximum(runs[:, 0] - 1, 0), np.minimum(runs[:, 1], len(channel) - 1)
    step_in = np.abs(channel[runs[:, 0]] - channel[before])
    step_out = np.abs(channel[after] - channel[runs[:, 1] - 1])
    cut: npt.NDArray[np.int64] = runs[np.maximum(step_in, step_out) > EDGE]
    return cut


def round_tops(channel: Samples, runs: npt.NDArray[np.int64]) -> Samples:
    """Return a copy with each flat top replaced by the cubic that goes on from the samples on both sides of it.

    Nothing comes out lower than it was: what was clipped lay at least there. Flat tops at the very ends, with fewer
    than two samples beside them, stay.
    """
    mended = np.array(channel)
    runs = runs[(runs[:, 0] >= 2) & (runs[:, 1] + 2 <= len(channel))]
    if not len(runs):
        return mended
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
    mended[places] = sign * np.maximum(sign * cubic, np.abs(values[places]))
    return mended


def means(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the mean of each channel."""
    totals = [sum(float(block.sum(dtype=np.float64)) for block in _blocks(channel)) for channel in samples]
    return np.array(totals, np.float64) / np.float64(samples.shape[1])


def sounding(samples: Samples, limit: float) -> tuple[int, int] | None:
    """Return where the first sample above a limit is, over all channels, and what follows the last; None if none is."""
    first, last = samples.shape[1], 0
    for channel in samples:
        for start in range(0, len(channel), BLOCK):
            loud = np.flatnonzero(np.abs(channel[start : start + BLOCK]) > limit)
            if len(loud):
                first, last = min(first, start + int(loud[0])), max(last, start + int(loud[-1]) + 1)
    return (first, last) if last else None


def rms(samples: Samples) -> float:
    """Return the root of the mean square over all channels."""
    total = sum(float(np.square(block, dtype=np.float64).sum()) for channel in samples for block in _blocks(channel))
    return math.sqrt(total / samples.size)


def flatness(samples: Samples) -> float:
    """Return how flat the spectrum of the loudest channel is: 1 for white noise, hardly above 0 for speech and music.

    It is the geometric mean over the arithmetic one, of powers that are averaged over at most 256 Hann frames of 1024
    samples, evenly spread. Shorter sounds have 0: there is too little to tell.
    """
    if samples.shape[1] < FRAME:
        return 0.0
    channel = max(samples, key=lambda one: rms(one[None]))
    last = len(channel) - FRAME
    starts = np.unique(np.linspace(0, last, min(FRAMES, 1 + last // (FRAME // 2))).astype(int))
    window = np.hanning(FRAME)
    power = np.zeros(FRAME // 2 - 1)
    for start in starts:
        frame = channel[start : start + FRAME].astype(np.float64)
        power += np.square(np.abs(np.fft.rfft((frame - frame.mean()) * window)))[1:-1]
    if not power.sum():
        return 0.0
    return float(np.exp(np.log(np.maximum(power, 1e-300)).mean()) / power.mean())


def lengthened(samples: Samples, length: int) -> Samples:
    """Return the samples with silence after them."""
    return np.pad(samples, ((0, 0), (0, length - samples.shape[1])))


def shortened(samples: Samples, length: int, sample_rate: int) -> Samples:
    """Return the first samples, faded out over 5 ms, so that the cut does not click."""
    cut = np.array(samples[:, :length])
    fade = min(round(FADE * sample_rate), length)
    if fade:
        cut[:, length - fade :] *= np.linspace(1, 0, fade, endpoint=True).astype(cut.dtype)
    return cut


def _blocks(channel: Samples) -> list[Samples]:
    return [channel[start : start + BLOCK] for start in range(0, len(channel), BLOCK)]
