"""gain: the factor that the decibels stand for, and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
from transform_helpers import apply, problems

from tonearm_plugins.transforms.gain import Gain


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


def test_it_is_the_factor_of_the_decibels() -> None:
    samples = noise(3, 100)
    np.testing.assert_allclose(apply(Gain, samples, gain_db=-20.0)[0], samples / 10, rtol=1e-6)
    np.testing.assert_array_equal(apply(Gain, samples, gain_db=0.0)[0], samples)


def test_the_gain_is_required_and_bounded() -> None:
    assert "missing-option: gain: 'gain_db' is missing" in problems({"use": "gain"})
    assert "gain: 'gain_db' is 1e4; expected" in problems({"use": "gain", "with": {"gain_db": 1e4}}).replace(
        "10000.0", "1e4"
    )
