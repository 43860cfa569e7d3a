"""Sounds for the tests of lossy codecs, and a check of what a decoder makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from encoder_helpers import encoded, error_db
from other_decoders import heard

Decoder = Callable[[Path, Path], None]
TAGS = {"title": "Grüße", "mood": "calm"}


def chord(rate: int, length: int, channels: int) -> Any:
    """Two sines in each channel, those of the LFE low enough for it."""
    time = np.arange(length) / rate
    hertz = [(40, 55) if channel == 3 and channels == 6 else (220 + 70 * channel, 1200) for channel in range(channels)]
    return np.array([0.3 * np.sin(2 * np.pi * a * time) + 0.1 * np.cos(2 * np.pi * b * time) for a, b in hertz], "f4")


def written(plugin: Any, folder: Path, samples: Any, rate: int) -> Path:
    path, _ = encoded(plugin, folder, samples, rate)
    return Path(path.rename(folder / f"sound{plugin.suffixes[0]}"))


def check(path: Path, samples: Any, rate: int, by: Decoder, error: float, more: range = range(1)) -> None:
    """The right rate, channels and length (but for what a decoder makes of it), and the sound itself."""
    found, got = heard(path, by)
    assert found == rate, by.__name__
    assert got.shape[0] == samples.shape[0], by.__name__
    assert got.shape[1] - samples.shape[1] in more, by.__name__
    common = min(got.shape[1], samples.shape[1])
    if common > 2000:
        for one, (mine, theirs) in enumerate(zip(samples, got, strict=True)):
            assert error_db(theirs[:common], mine[:common]) < error, f"{by.__name__}, channel {one}"
