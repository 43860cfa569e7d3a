"""Gains that rise from nothing to one, for fades and crossfades."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

SHAPES: Mapping[str, Callable[[Doubles], Doubles]] = {
    "linear": lambda x: x,
    "cosine": lambda x: 0.5 - 0.5 * np.cos(np.pi * x),
    "equal-power": lambda x: np.sin(np.pi / 2 * x),
    "exponential": lambda x: np.where(x > 0, 10 ** (3 * (x - 1)), 0.0),  # a straight line in dB, from -60
}


def rise(samples: int, shape: str) -> Doubles:
    """Return gains (samples,) that rise from 0, the first, towards 1, which the sample after the last has."""
    return SHAPES[shape](np.arange(samples) / max(samples, 1))


def crossing(samples: int, shape: str) -> tuple[Doubles, Doubles]:
    """Return the gains of what ends and of what begins, over a crossfade of so many samples: (samples,) each.

    The one is the other backwards. Those of ``linear`` and ``cosine`` add up to 1, for sounds that are alike; the
    squares of ``equal-power`` do, for sounds that have nothing in common.
    """
    rising = SHAPES[shape](np.arange(1, samples + 1) / (samples + 1))
    return rising[::-1], rising
