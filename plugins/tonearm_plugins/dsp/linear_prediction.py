"""Linear prediction: how a sound would go on after its end."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.typing import Array

ORDER = 32
"""Number of samples from which the next one is predicted."""

_REMEMBERED = 0.05  # seconds of a waveform from which it is continued
_STEP = 64  # samples that are predicted at once
_SILENCE = 1e-20  # energy below which nothing can be predicted from what is left


def continuation(samples: Array, count: int) -> Array:
    """Return how a waveform would go on, which neither jumps at its end nor grows afterwards.

    Parameters
    ----------
    samples
        End of a waveform, of shape (channels, samples). Some 10 to 20 ms are enough.
    count
        Number of samples to predict.

    Returns
    -------
    Array
        Waveform of shape (channels, count), float64.

    Examples
    --------
    >>> sine = np.sin(np.arange(480) / 10)[None]
    >>> float(np.abs(continuation(sine, 40)[0] - np.sin(np.arange(480, 520) / 10)).max()) < 0.01
    True
    """
    return np.stack([_continued(channel.astype("f8"), count) for channel in samples])


class Ending:
    """The end of a waveform that comes block by block, and how it would go on.

    Parameters
    ----------
    channels
        Number of channels.
    sample_rate
        Sample rate in Hz, on which depends how much is remembered: `_REMEMBERED` seconds.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._size = max(1, round(_REMEMBERED * sample_rate))
        self._last: Array = np.zeros((channels, 0))

    def push(self, block: Array) -> None:
        """Remember the end of a block (channels, samples), which is copied."""
        if block.shape[-1] < self._size:
            block = np.concatenate((self._last, block), axis=-1)
        self._last = block[:, -self._size :].copy()

    def continuation(self, count: int) -> Array:
        """Return how the waveform would go on after the last block, as `continuation` does."""
        return continuation(self._last, count)


def _continued(samples: Array, count: int) -> Array:
    weights = _prediction(samples)
    order = len(weights)
    if not order:
        return np.zeros(count)
    # Rows are the next samples, as sums of the last ones: one product of matrices gives a whole step.
    rows = np.vstack((np.eye(order), np.zeros((_STEP, order))))
    for place in range(order, len(rows)):
        rows[place] = weights @ rows[place - order : place]
    ahead = rows[-_STEP:]
    known = np.concatenate((samples[-order:], np.zeros(-(-count // _STEP) * _STEP)))
    for place in range(order, len(known), _STEP):
        known[place : place + _STEP] = ahead @ known[place - order : place]
    return known[order : order + count]


def _prediction(samples: Array) -> Array:
    """Return the weight of each of the last samples in the next one, oldest first, by Burg's method.

    It needs no window, and its filter is stable, unlike that of least squares.
    """
    forward, backward = samples[1:], samples[:-1]
    filter_ = np.ones(1)
    for _ in range(min(ORDER, len(samples) - 1)):
        energy = forward @ forward + backward @ backward
        if energy <= _SILENCE:
            break
        reflection = -2 * (forward @ backward) / energy
        filter_ = np.append(filter_, 0.0)
        filter_ = filter_ + reflection * filter_[::-1]
        forward, backward = (forward + reflection * backward)[1:], (backward + reflection * forward)[:-1]
    return -filter_[:0:-1]
