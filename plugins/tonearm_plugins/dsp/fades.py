"""Gains over time for fades and crossfades."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tonearm_plugins.dsp.typing import Array, Float64Array

FADE_SHAPES: Mapping[str, Callable[[Float64Array], Float64Array]] = {
    "linear": lambda x: x,
    "cosine": lambda x: 0.5 - 0.5 * np.cos(np.pi * x),
    "equal-power": lambda x: np.sin(np.pi / 2 * x),
    "exponential": lambda x: np.where(x > 0, 10 ** (3 * (x - 1)), 0.0),
}
"""Gain as a function of time, both from 0 to 1; ``exponential`` is a straight line in dB, from -60 dB."""


def fade_in(length: int, shape: str) -> Float64Array:
    """Make the gains of a fade from silence to the full level.

    Parameters
    ----------
    length
        Length of the fade in samples.
    shape
        Name of the shape: a key of `FADE_SHAPES`.

    Returns
    -------
    Float64Array
        Gains of shape (length,). The first is 0, and 1 would be reached one sample after the last. Reversed, they are a
        fade to silence.

    Examples
    --------
    >>> fade_in(4, "linear").tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    return FADE_SHAPES[shape](np.arange(length) / max(length, 1))


def crossfade(length: int, shape: str) -> tuple[Float64Array, Float64Array]:
    """Make the gains of a crossfade from one sound to another.

    Parameters
    ----------
    length
        Length of the crossfade in samples.
    shape
        Name of the shape: a key of `FADE_SHAPES`. The two gains of ``linear`` and ``cosine`` add up to 1, which keeps
        the level of sounds that are alike. The squares of those of ``equal-power`` do, which keeps the level of sounds
        that are independent.

    Returns
    -------
    fade_out, fade_in
        Gains of the sound that ends and of the sound that begins, of shape (length,) each. The one is the other
        reversed.

    Examples
    --------
    >>> [gains.tolist() for gains in crossfade(3, "linear")]
    [[0.75, 0.5, 0.25], [0.25, 0.5, 0.75]]
    """
    rising = FADE_SHAPES[shape](np.arange(1, length + 1) / (length + 1))
    return rising[::-1], rising


def truncate(samples: Array, length: int, *, fade: int) -> Array:
    """Keep the beginning of a waveform, and fade its new end out linearly, so that it does not click.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples).
    length
        Length to keep, in samples.
    fade
        Length of the fade in samples; less if ``length`` is less.

    Returns
    -------
    Array
        Copy of shape (channels, length), in the same dtype; its last sample is 0 if there is a fade.

    Examples
    --------
    >>> truncate(np.ones((1, 9)), 5, fade=3).tolist()
    [[1.0, 1.0, 1.0, 0.5, 0.0]]
    """
    result = np.array(samples[:, :length])
    fade = min(fade, length)
    if fade:
        result[:, length - fade :] *= np.linspace(1, 0, fade, endpoint=True).astype(result.dtype)
    return result
