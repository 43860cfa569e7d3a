"""Another sample rate, by libsoxr."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Quality = Literal["quick", "low", "medium", "high", "very-high"]

# libsoxr's own names.
_SOXR = {"quick": "QQ", "low": "LQ", "medium": "MQ", "high": "HQ", "very-high": "VHQ"}


def resample(samples: np.ndarray[Any, Any], old: int, new: int, quality: Quality = "high") -> np.ndarray[Any, Any]:
    """Return (channels, n) samples at another rate in Hz, (channels, `resampled_length`), in their own precision."""
    import soxr

    found = np.zeros((samples.shape[0], resampled_length(samples.shape[1], old, new)), samples.dtype)
    for channel, given in zip(found, samples, strict=True):
        # soxr rounds the length, and makes nothing at all of a sample or two: silence behind shows it the rest.
        tail = np.zeros(2 * (old // new + 1), given.dtype)
        made = soxr.resample(np.concatenate([given, tail]), old, new, _SOXR[quality])
        channel[: len(made)] = made[: len(channel)]
    return found


def resampled_length(length: int, old: int, new: int) -> int:
    """Return ⌈length · new / old⌉, in whole numbers: the fewest samples that last as long as the signal."""
    return -(-length * new // old)
