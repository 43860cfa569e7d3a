"""A tone, and the pitch of a waveform, for the tests of effects."""

from __future__ import annotations

from typing import Any

import numpy as np


def tone(hertz: float, rate: int, length: int) -> Any:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(length) / rate)[None]


def pitch(samples: Any, rate: int) -> float:
    """Return the frequency of the highest peak of the spectrum, between its bins."""
    middle = samples[0, len(samples[0]) // 4 : -len(samples[0]) // 4]
    size = np.log(np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) + 1e-30)
    k = int(size.argmax())
    before, here, after = size[k - 1 : k + 2]
    return (k + 0.5 * (before - after) / (before - 2 * here + after)) * rate / len(middle)
