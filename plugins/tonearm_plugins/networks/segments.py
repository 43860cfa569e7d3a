"""Segments of codec tokens that a codec decodes alone, as EnCodec at 48 kHz does, and the sound they join to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODEC_STRIDE = 0.99
"""Share of a segment after which the next one begins, in EnCodec at 48 kHz."""


def joined(segments: Sequence[NDArray[Any]], stride: int | None) -> NDArray[np.float32]:
    """Return the overlap-add of segments, weighted by a triangle over the first one, over the sum of the weights.

    That is what EnCodec does with its segments of a second, which overlap by 1 %. Segments without a stride follow one
    another.

    Parameters
    ----------
    segments
        Sounds of the segments, (channels, samples).
    stride
        Samples from the beginning of one segment to that of the next; None if each begins where the last one ends.

    Raises
    ------
    ItemError
        If one with a stride is longer than the first one, over which the weights are.

    Examples
    --------
    >>> import numpy as np
    >>> joined([np.full((1, 4), 2.0), np.full((1, 4), 2.0)], 3).tolist()
    [[2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]]
    """
    import numpy as np

    if stride is None:
        return np.concatenate(segments, axis=-1).astype(np.float32, copy=False)
    longest = segments[0].shape[-1]
    for number, one in enumerate(segments):
        if one.shape[-1] > longest:
            raise ItemError(
                f"segment {number} has {one.shape[-1]:,} samples, more than the {longest:,} of segment 0, so they"
                " cannot overlap",
                code="model-mismatch",
                hint="check the segments of the tokens; only the last one may be shorter",
            )
    total = max(stride * number + one.shape[-1] for number, one in enumerate(segments))
    ramp = np.linspace(0, 1, longest + 2)[1:-1]
    weight = 0.5 - np.abs(ramp - 0.5)
    sound, weights = np.zeros((segments[0].shape[0], total)), np.zeros(total)
    for number, one in enumerate(segments):
        begin, size = number * stride, one.shape[-1]
        sound[:, begin : begin + size] += one * weight[:size]
        weights[begin : begin + size] += weight[:size]
    return (sound / np.where(weights, weights, 1)).astype(np.float32)


def stride_of(samples: int, *, has_scales: bool, given: int | None = None) -> int | None:
    """Return the samples from one segment to the next; None if segments do not overlap.

    Parameters
    ----------
    samples
        Samples of the first segment.
    has_scales
        Whether segments have scales: then they are those of EnCodec at 48 kHz, which overlap.
    given
        What the options say.

    Examples
    --------
    >>> stride_of(48000, has_scales=True), stride_of(48000, has_scales=False)
    (47520, None)
    """
    if given is not None:
        return given
    return max(1, int(samples * ENCODEC_STRIDE)) if has_scales else None
