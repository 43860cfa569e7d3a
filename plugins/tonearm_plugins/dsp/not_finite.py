"""NaN and infinity in waveforms: how many there are, and what to put in their place."""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.errors import NotFiniteError
from tonearm_plugins.dsp.typing import Array


def count_not_finite(samples: Array) -> int:
    """Count the samples that are NaN or infinite.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).

    Returns
    -------
    int
        Number of samples over all channels.

    Examples
    --------
    >>> count_not_finite(np.array([[0.5, np.nan, -np.inf]]))
    2
    """
    finite = sum(np.count_nonzero(np.isfinite(samples[:, part])) for part in block_slices(samples.shape[1]))
    return samples.size - int(finite)


def require_finite(values: Array) -> None:
    """Raise `NotFiniteError` if a value is NaN or infinite.

    Parameters
    ----------
    values
        Real or complex numbers of any shape.

    Examples
    --------
    >>> require_finite(np.array([0.5, np.inf]))
    Traceback (most recent call last):
    tonearm_plugins.dsp.errors.NotFiniteError: a value is NaN or infinite
    """
    if not np.isfinite(values).all():
        raise NotFiniteError("a value is NaN or infinite")


def zero_not_finite(samples: Array) -> Array:
    """Replace NaN and infinity with 0.

    Parameters
    ----------
    samples
        Real numbers of any shape.

    Returns
    -------
    Array
        Copy of the samples, in the same dtype. If every sample is finite, the array itself is returned.

    Examples
    --------
    >>> zero_not_finite(np.array([0.5, np.nan, -np.inf])).tolist()
    [0.5, 0.0, 0.0]
    """
    finite = np.isfinite(samples)
    return samples if finite.all() else np.where(finite, samples, samples.dtype.type(0))


def interpolate_not_finite(samples: Array) -> Array:
    """Replace NaN and infinity by straight lines between their finite neighbours.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).

    Returns
    -------
    Array
        Copy of the waveform, in the same dtype. At either end of a channel, the nearest finite value is repeated. A
        channel without a finite value becomes 0.

    Examples
    --------
    >>> interpolate_not_finite(np.array([[0.0, np.nan, 0.5, np.inf]])).tolist()
    [[0.0, 0.25, 0.5, 0.5]]
    """
    filled = np.array(samples)
    for channel in filled:
        bad = ~np.isfinite(channel)
        if bad.all():
            channel[:] = 0
        elif bad.any():
            channel[bad] = np.interp(np.flatnonzero(bad), np.flatnonzero(~bad), channel[~bad])
    return filled
