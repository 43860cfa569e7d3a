"""Levels of waveforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def peak_of(samples: npt.NDArray[Any]) -> float:
    """Return the greatest absolute value, without a copy of the samples; NaN if one of them is."""
    return float(np.maximum(samples.max(), -samples.min()))
