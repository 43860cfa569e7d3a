"""NaN and infinity: counted across blocks, and replaced without touching anything else."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.errors import NotFiniteError
from tonearm_plugins.dsp.not_finite import (
    count_not_finite,
    interpolate_not_finite,
    require_finite,
    zero_not_finite,
)


def test_they_are_counted_in_every_block_and_channel() -> None:
    samples = np.zeros((2, 2 * BLOCK_LENGTH + 3), "f4")
    assert count_not_finite(samples) == 0
    samples[0, [0, BLOCK_LENGTH - 1, BLOCK_LENGTH, -1]] = np.nan, np.inf, -np.inf, np.nan
    samples[1, 5] = np.nan
    assert count_not_finite(samples) == 5


@pytest.mark.parametrize("kind", ["f4", "f8", "c8", "i2"])
def test_finite_values_may_be_required(kind: str) -> None:
    values = np.zeros((2, 3), kind)
    require_finite(values)
    require_finite(values[:, :0])
    if kind == "i2":
        return
    values[1, 2] = complex(0, np.nan) if kind == "c8" else np.inf
    with pytest.raises(NotFiniteError, match="NaN or infinite"):
        require_finite(values)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_zeros_take_their_place(kind: str) -> None:
    samples = np.array([[0.5, np.nan, -np.inf, -0.25]], kind)
    zeroed = zero_not_finite(samples)
    np.testing.assert_array_equal(zeroed, [[0.5, 0, 0, -0.25]])
    assert zeroed.dtype == kind
    assert np.isnan(samples[0, 1]), "the input stays as it is"


def test_finite_samples_are_not_copied() -> None:
    samples = np.ones((2, 9))
    assert zero_not_finite(samples) is samples


def test_straight_lines_lead_across_them() -> None:
    samples = np.array([[np.nan, 0.5, np.nan, np.inf, -0.25, np.nan], [np.nan] * 6, [1, 2, 3, 4, 5, 6]], "f4")
    found = interpolate_not_finite(samples)
    np.testing.assert_allclose(found[0], [0.5, 0.5, 0.25, 0, -0.25, -0.25])
    np.testing.assert_array_equal(found[1:], [[0] * 6, [1, 2, 3, 4, 5, 6]])
    assert found.dtype == "f4"
    assert np.isnan(samples[0, 0]), "the input stays as it is"
