"""Resampling by libsoxr."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.typing import Array

Quality = Literal["quick", "low", "medium", "high", "very-high"]

SOXR_QUALITIES = {"quick": "QQ", "low": "LQ", "medium": "MQ", "high": "HQ", "very-high": "VHQ"}
"""libsoxr's own names of the qualities."""

STREAM_BLOCK_LENGTH = 1 << 13
"""Samples that libsoxr gets at once: the memory of longer blocks comes anew from the system each time."""


def resample(
    samples: Array, old: int, new: int, quality: Quality = "high", *, on_progress: OnProgress | None = None
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
    on_progress
        Function called with the progress, block by block and channel by channel.

    Returns
    -------
    Array
        Waveform of shape (channels, `resampled_length`), in the same dtype.

    Examples
    --------
    >>> resample(np.zeros((2, 48000), "f4"), 48000, 22050).shape
    (2, 22050)
    """
    import soxr

    result = np.zeros((samples.shape[0], resampled_length(samples.shape[1], old, new)), samples.dtype)
    # soxr rounds the length, and returns nothing for one or two samples. Zeros after the end bring out the rest.
    tail = np.zeros(2 * (old // new + 1), samples.dtype)
    for number, (channel, given) in enumerate(zip(result, samples, strict=True)):
        stream, done = soxr.ResampleStream(old, new, 1, dtype=samples.dtype, quality=SOXR_QUALITIES[quality]), 0
        for part in block_slices(
            len(given), STREAM_BLOCK_LENGTH, on_progress=share_of(on_progress, number, len(samples))
        ):
            is_last = part.stop == len(given)
            block = np.concatenate([given[part], tail]) if is_last else np.ascontiguousarray(given[part])
            made = stream.resample_chunk(block, last=is_last)[: len(channel) - done]
            channel[done : done + len(made)] = made
            done += len(made)
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


class ResamplingStream:
    """A change of the sample rate, block by block. All blocks together are what `resample` gives, however they are cut.

    Parameters
    ----------
    old, new
        Sample rates in Hz.
    channels
        Number of channels.
    dtype
        Type of the samples, float32 or float64.
    quality
        Quality of the filter, as for `resample`.
    """

    def __init__(self, old: int, new: int, channels: int, dtype: str, quality: Quality = "high") -> None:
        import soxr

        self._old, self._new = old, new
        self._tail = np.zeros((channels, 2 * (old // new + 1)), dtype)
        self._streams = [
            soxr.ResampleStream(old, new, 1, dtype=dtype, quality=SOXR_QUALITIES[quality]) for _ in range(channels)
        ]
        self._given = self._made = 0

    def push(self, block: Array) -> Array:
        """Return the samples that another block makes complete: (channels, samples), which may be none."""
        self._given += block.shape[1]
        parts = [self._resampled(block[:, part]) for part in block_slices(block.shape[1], STREAM_BLOCK_LENGTH)]
        return parts[0] if len(parts) == 1 else np.concatenate([self._tail[:, :0], *parts], axis=1)

    def finish(self) -> Array:
        """Return the rest of the samples."""
        left = resampled_length(self._given, self._old, self._new) - self._made
        return self._resampled(self._tail, last=True)[:, :left]

    def _resampled(self, block: Array, *, last: bool = False) -> Array:
        made = [
            stream.resample_chunk(np.ascontiguousarray(channel), last=last)
            for stream, channel in zip(self._streams, block, strict=True)
        ]
        self._made += len(made[0])
        return np.stack(made)
