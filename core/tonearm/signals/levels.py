"""The level of a waveform, and what is wrong with it: the bounds and words that warnings and notebooks share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from tonearm.errors.text import counted

if TYPE_CHECKING:
    from tonearm.typing import Array

QUIET_DB = -60.0
"""Peak in dBFS below which a waveform is too quiet."""

SILENT = "the waveform is silent"
"""Message about a waveform whose samples are all 0."""

MAX_MEAN = 0.2
"""Largest mean of samples, as a fraction of their peak, that sound may have."""

EVEN = 1e-4
"""Largest deviation of the mean from the peak, as a fraction of it, of a constant."""

MIN_DURATION = 0.25
"""Duration in seconds from which the mean of samples shows an offset, not half a period."""

_SMALLEST_16_BIT = 2.0**-16
"""Peak below which 16-bit samples are all 0."""

_BLOCK = 1 << 20
"""Approximate number of samples of a channel that are measured at once."""


def decibels(peak: float) -> float:
    """Return a peak in dBFS; minus infinity for 0."""
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def has_offset(mean: float, peak: float, duration: float) -> bool:
    """Return whether samples lie too far from 0 in the mean. Those of a constant do not, nor those of a short sound.

    Parameters
    ----------
    mean
        Mean of the samples.
    peak
        Largest absolute sample.
    duration
        Duration in seconds.
    """
    return abs(mean) > MAX_MEAN * peak and duration >= MIN_DURATION and abs(mean) < (1 - EVEN) * peak


def quiet_message(peak: float) -> str:
    """Return the message about a waveform with a low peak."""
    lost = ", and 16-bit samples of it are all 0" if peak < _SMALLEST_16_BIT else ""
    return f"the peak of the waveform is only {decibels(peak):.1f} dBFS ({peak:.3g}){lost}"


def offset_message(mean: float, peak: float) -> str:
    """Return the message about a waveform that lies far from 0 in the mean."""
    return f"the mean of the waveform is {mean:.3g}, and its peak {peak:.3g}, but samples of sound lie around 0"


def beyond_message(share: float, peak: float) -> str:
    """Return the message about a waveform of which a share of the samples is beyond full scale."""
    percent = f"{100 * share:.3g} %" if share < 0.995 else "all" if share == 1 else "99 %"
    return f"{percent} of the samples are beyond ±1.0 (peak {peak:.6g})"


def sound_facts(measured: Mapping[str, float | int | str]) -> Iterator[str]:
    """Yield the duration, the sample rate, the channels and the peak of a sound in words.

    Parameters
    ----------
    measured
        Measurements by name. Those that are missing are left out, and so is the peak of silence.

    Examples
    --------
    >>> list(sound_facts({"duration": 2.31, "sample_rate": 22050, "channels": 2, "peak_db": -1.0}))
    ['2.31 s', '22050 Hz', '2 channels', 'peak -1.0 dBFS']
    """
    if isinstance(duration := measured.get("duration"), float):
        yield f"{duration:.2f} s"
    if "sample_rate" in measured:
        yield f"{measured['sample_rate']} Hz"
    if isinstance(channels := measured.get("channels"), int):
        yield counted(channels, "channel")
    if isinstance(peak := measured.get("peak_db"), float) and peak > -math.inf:
        yield f"peak {peak:+.1f} dBFS"


class Levels(Struct, frozen=True, kw_only=True):
    """The levels of the samples of a waveform.

    Parameters
    ----------
    size
        Number of samples in all channels.
    peak
        Largest absolute sample that is finite; 0 if there is none.
    mean
        Mean of the finite samples.
    beyond, not_finite
        Number of samples beyond full scale, and of samples that are NaN or infinite.
    """

    size: int
    peak: float
    mean: float
    beyond: int
    not_finite: int

    def verdict(self, duration: float) -> list[str]:
        """Return what is wrong with the sound, each with the code of the error or warning; empty if nothing is.

        Parameters
        ----------
        duration
            Duration in seconds.
        """
        found = []
        if self.not_finite:
            found.append(f"not-finite: {self.not_finite} of {self.size} samples are NaN or infinite")
        if self.beyond:
            share = beyond_message(self.beyond / self.size, self.peak)
            found.append(f"clipped: players clip {counted(self.beyond, 'sample')}; {share}")
        if not self.peak:
            found.append(SILENT)
        elif decibels(self.peak) < QUIET_DB:
            found.append(f"too-quiet: {quiet_message(self.peak)}")
        if has_offset(self.mean, self.peak, duration):
            found.append(f"dc-offset: {offset_message(self.mean, self.peak)}")
        return found


def measure_levels(samples: Array) -> Levels:
    """Return the levels of samples of shape (channels, samples), measured in blocks: they may be a mapped file."""
    import numpy as np

    peak, total, beyond, bad = 0.0, 0.0, 0, 0
    for start in range(0, samples.shape[1], _BLOCK):
        part = samples[:, start : start + _BLOCK]
        finite = np.isfinite(part)
        sound = part if finite.all() else np.where(finite, part, 0)
        size = np.abs(sound)
        peak = max(peak, float(size.max()))
        beyond += int(np.count_nonzero(size > 1))
        bad += int(part.size - np.count_nonzero(finite))
        with np.errstate(over="ignore", invalid="ignore"):  # sums of values such as 1e308
            total += float(sound.sum(dtype=np.float64))
    count = samples.size - bad
    return Levels(size=samples.size, peak=peak, mean=total / max(count, 1), beyond=beyond, not_finite=bad)
