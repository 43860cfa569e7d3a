"""Levels, against numpy over the whole waveform in float64, with block borders and values that are not finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tonearm_plugins.dsp import levels
from tonearm_plugins.dsp.blocks import BLOCK_LENGTH

LENGTHS = [1, 2, BLOCK_LENGTH, 2 * BLOCK_LENGTH + 5]


def noise(channels: int, length: int, kind: str = "f4") -> Any:
    return np.random.default_rng(length).standard_normal((channels, length)).astype(kind)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("length", LENGTHS)
def test_measurements_are_those_of_the_whole(length: int, kind: str) -> None:
    samples = noise(3, length, kind)
    exact = samples.astype("f8")
    assert levels.peak(samples) == np.abs(exact).max()
    assert levels.extent(samples) == (exact.min(), exact.max())
    assert levels.rms(samples) == pytest.approx(np.sqrt((exact**2).mean()), rel=1e-12)
    np.testing.assert_allclose(levels.channel_means(samples), exact.mean(axis=1), atol=1e-12)
    assert levels.count_above(samples, 0.5) == (np.abs(exact) > 0.5).sum()


def test_a_peak_may_be_negative() -> None:
    assert levels.peak(np.array([[0.25, -0.75]])) == 0.75
    assert levels.peak(np.array([[-0.25, -0.5]])) == 0.5


def test_values_that_are_not_finite_count_as_zero() -> None:
    samples = noise(2, BLOCK_LENGTH + 9)
    samples[0, 3], samples[1, -1], samples[1, 0] = np.nan, np.inf, -np.inf
    zeros = np.nan_to_num(samples, posinf=0, neginf=0)
    assert levels.peak(samples) == levels.peak(zeros)
    assert levels.rms(samples) == levels.rms(zeros)
    np.testing.assert_array_equal(levels.channel_means(samples), levels.channel_means(zeros))
    assert levels.peak(np.full((1, 3), np.nan)) == 0


def test_an_extent_shows_nan_and_an_empty_one_is_zero() -> None:
    assert all(map(math.isnan, levels.extent(np.array([1, np.nan, 2]))))
    assert levels.extent(np.empty((1, 0))) == (0, 0)


def test_what_equals_a_threshold_is_not_above_it() -> None:
    assert levels.count_above(np.array([[1.0, -1.0, np.nextafter(1, 2)]]), 1.0) == 1


def test_decibels_and_amplitudes() -> None:
    assert levels.amplitude_to_db(0) == -math.inf
    for db in (-200.0, -6.0, 0.0, 20.0):
        assert levels.amplitude_to_db(levels.db_to_amplitude(db)) == pytest.approx(db)
    assert levels.db_to_amplitude(20) == 10


def test_a_gain_may_be_larger_than_the_dtype_holds() -> None:
    samples = np.full((1, 2), 1e-45, "f4")
    found = levels.apply_gain(samples, 1 / float(samples[0, 0]))
    assert found.dtype == "f4"
    np.testing.assert_allclose(found, 1, rtol=1e-6)
