"""Resampling by libsoxr."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.shared_work import each_channel
from tonearm_plugins.dsp.typing import Array

Quality = Literal["quick", "low", "medium", "high", "very-high"]

SOXR_QUALITIES = {"quick": "QQ", "low": "LQ", "medium": "MQ", "high": "HQ", "very-high": "VHQ"}
"""libsoxr's own names of the qualities."""

STREAM_BLOCK_LENGTH = 1 << 13
"""Samples that libsoxr gets at once: the memory of longer blocks comes anew from the system each time."""

LEAST_LENGTH = 1 << 16
"""Samples of a channel from which on threads are worth it: some milliseconds of work."""


def resample(
    samples: Array,
    old: int,
    new: int,
    quality: Quality = "high",
    *,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> Array:
    """Change the sample rate of a waveform.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples), float32 or float64.
    old, new
        Sample rates in Hz.
    quality
        Quality of the filter. ``high`` leaves an error of -110 dB, ``very-high`` one of -150 dB; ``quick`` and ``low``
        let aliases through. Only ``very-high`` computes in double precision. libsoxr interpolates its filter if the
        rates have no ratio of small whole numbers, such as 44,100 and 44,101: ``very-high`` then leaves -110 dB, too.
    threads
        Number of threads that share the channels; it changes no bit of the result.
    on_progress
        Function called with the progress.

    Returns
    -------
    Array
        Waveform of shape (channels, `resampled_length`), in the same dtype.

    Examples
    --------
    >>> resample(np.zeros((2, 48000), "f4"), 48000, 22050).shape
    (2, 22050)
    """
    return Resampler(old, new, quality, threads=threads).push(samples, is_last=True, on_progress=on_progress)


class Resampler:
    """libsoxr at work on a waveform. How a waveform is cut changes no bit.

    Parameters
    ----------
    old, new, quality, threads
        Arguments of `resample`.
    """

    def __init__(self, old: int, new: int, quality: Quality = "high", *, threads: int = 1) -> None:
        self._threads = threads
        self._old = old
        self._new = new
        self._quality = SOXR_QUALITIES[quality]
        self._streams: list[Any] = []
        self._length = 0
        self._done = 0

    def push(self, samples: Array, *, is_last: bool = False, on_progress: OnProgress | None = None) -> Array:
        """Resample the next samples.

        Parameters
        ----------
        samples
            Next part of the waveform, of shape (channels, samples), float32 or float64.
        is_last
            Whether nothing follows.
        on_progress
            Function called with the progress within this part.

        Returns
        -------
        Array
            What is complete at the new rate, of shape (channels, samples), in the same dtype; with the last part, all.
        """
        import soxr

        if not self._streams:
            self._streams = [
                soxr.ResampleStream(self._old, self._new, 1, dtype=samples.dtype, quality=self._quality)
                for _ in samples
            ]
        self._length += samples.shape[1]
        # soxr rounds the length, and returns nothing for one or two samples. Zeros after the end bring out the rest.
        tail = np.zeros(2 * (self._old // self._new + 1), samples.dtype) if is_last else None

        def resampled(number: int, report: OnProgress | None) -> Array:
            stream, given = self._streams[number], samples[number]
            made = [
                stream.resample_chunk(np.ascontiguousarray(given[part]))
                for part in block_slices(given.size, STREAM_BLOCK_LENGTH, on_progress=report)
            ]
            if tail is not None:
                made.append(stream.resample_chunk(tail, last=True))
            return np.concatenate(made) if len(made) != 1 else made[0]

        threads = self._threads if samples.shape[1] >= LEAST_LENGTH else 1
        channels = each_channel(resampled, range(len(samples)), threads=threads, on_progress=on_progress)
        left = resampled_length(self._length, self._old, self._new) - self._done if is_last else None
        result = np.stack([channel[:left] for channel in channels])
        self._done += result.shape[1]
        return result


def resampled_length(length: int, old: int, new: int) -> int:
    """Return the length of a resampled waveform.

    Parameters
    ----------
    length
        Length of the waveform in samples.
    old, new
        Sample rates in Hz.

    Returns
    -------
    int
        ⌈length · new / old⌉, computed in whole numbers: the fewest samples that last as long.

    Examples
    --------
    >>> resampled_length(1001, 48000, 16000)
    334
    """
    return -(-length * new // old)
