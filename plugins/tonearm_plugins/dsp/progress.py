"""The progress of work in parts: functions that take it, and the share that a part has in the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

OnProgress: TypeAlias = Callable[[float, float], None]
"""Function called with the amount of work that is done, and with that of all work, in any unit; infinite if unknown."""


def share_of(on_progress: OnProgress | None, part: int, parts: int) -> OnProgress | None:
    """Return the function that takes the progress of one part of the work, such as a channel or a pass.

    Parameters
    ----------
    on_progress
        Function that takes the progress of the whole; None if nobody asks.
    part
        Number of the part, from 0.
    parts
        Number of all parts, each of which counts the same.

    Returns
    -------
    OnProgress or None
        Function that takes the progress of the part, in a unit of its own; None if nobody asks.

    Examples
    --------
    >>> second = share_of(print, 1, 4)
    >>> second(500, 1000)
    1.5 4
    """
    if on_progress is None:
        return None
    return lambda done, total: on_progress(part + done / total, parts)


def frames_of(on_progress: OnProgress | None, channel: int, shape: tuple[int, ...]) -> Callable[[int], None] | None:
    """Return the function that takes the number of frames that are done of one channel.

    Parameters
    ----------
    on_progress
        Function that takes the progress of the whole; None if nobody asks.
    channel
        Number of the channel, from 0.
    shape
        Shape of the spectrogram: (channels, bins, frames).

    Returns
    -------
    function or None
        Function to call with the number of frames; None if nobody asks.

    Examples
    --------
    >>> second = frames_of(print, 1, (2, 513, 100))
    >>> second(30)
    130 200
    """
    if on_progress is None:
        return None
    channels, _, frames = shape
    return lambda done: on_progress(channel * frames + done, channels * frames)
