"""dc-remove: the mean of each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from transform_helpers import apply

from tonearm_plugins.transforms.dc_remove import DcRemove


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_mean_of_each_channel_is_gone(kind: str) -> None:
    samples = noise(3, 300_000, kind=kind) + np.array([[0.5], [-0.25], [0]], kind)
    found, context = apply(DcRemove, samples)
    assert np.abs(found.mean(axis=1, dtype="f8")).max() < 1e-7
    np.testing.assert_allclose(found, samples - samples.mean(axis=1, dtype="f8")[:, None], atol=1e-6)
    assert context.measurements["dc_removed"] == pytest.approx(0.5, abs=1e-3)


def test_one_sample_becomes_silence() -> None:
    np.testing.assert_array_equal(apply(DcRemove, np.full((2, 1), 0.3, "f4"))[0], 0)


def test_nan_and_infinity_stay() -> None:
    samples = np.array([[0.5, np.nan, 0.5, np.inf]], "f4")
    np.testing.assert_array_equal(apply(DcRemove, samples)[0], [[0.25, np.nan, 0.25, np.inf]])
