"""Noise and speech to measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from dsp_material import SAMPLES


def noise(seconds: float, rate: int, channels: int, seed: int = 1) -> Any:
    """Return noise whose level moves by 40 dB, so that both gates have something to do."""
    length = round(seconds * rate)
    level = 10 ** (-1 + np.cos(np.arange(length) / length * 9))
    return (np.random.default_rng(seed).standard_normal((channels, length)) * 0.05 * level).astype("f4")


def speech(rate: int) -> Any:
    voices = [np.load(SAMPLES / f"utt{number}.npy").ravel() for number in ("00", "01", "08")]
    return soxr.resample(np.concatenate(voices), 22050, rate, "VHQ")[None].astype("f4")
