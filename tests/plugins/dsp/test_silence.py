"""Silence: powers in windows across blocks, pauses, and cuts."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.silence import (
    cut_long_pieces,
    drop_close_cuts,
    loud_windows,
    pause_centers,
    sound_bounds,
    window_powers,
)

POWERS = np.array([9, 9, 9, 1, 9, 9, 9, 2.0, 9, 9])


@pytest.mark.parametrize("length", [1, 9, 10, 11, 2 * BLOCK_LENGTH + 5])
def test_powers_are_those_of_each_window_of_the_whole(length: int) -> None:
    samples = np.random.default_rng(0).standard_normal((2, length)).astype("f4")
    expected = [np.square(samples[:, i : i + 441], dtype="f8").mean(axis=1).max() for i in range(0, length, 441)]
    np.testing.assert_allclose(window_powers(samples, 441), expected, rtol=1e-12)


def test_a_window_with_nan_is_loud() -> None:
    samples = np.zeros((1, 40))
    samples[0, 15], samples[0, 25] = np.nan, -np.inf
    powers = window_powers(samples, 10)
    assert powers.tolist() == [0, np.inf, np.inf, 0]
    assert loud_windows(powers, -60, relative=True).tolist() == [False, True, True, False]


def test_a_threshold_is_relative_to_the_loudest_finite_window_or_to_full_scale() -> None:
    powers = np.array([1e-6, 1e-4, 1e-2, np.inf])
    assert loud_windows(powers, -30, relative=True).tolist() == [False, True, True, True]
    assert loud_windows(powers, -30, relative=False).tolist() == [False, False, True, True]


def test_bounds_are_those_of_all_channels_across_blocks() -> None:
    samples = np.zeros((2, 2 * BLOCK_LENGTH + 100), "f4")
    assert sound_bounds(samples, 0.01) is None
    samples[0, BLOCK_LENGTH + 3] = -0.02
    assert sound_bounds(samples, 0.01) == (BLOCK_LENGTH + 3, BLOCK_LENGTH + 4)
    samples[1, [7, 2 * BLOCK_LENGTH + 50]] = 0.02, 0.02
    samples[1, -1] = 0.01
    assert sound_bounds(samples, np.float32(0.01)) == (7, 2 * BLOCK_LENGTH + 51)


def test_pauses_lie_between_sounds() -> None:
    loud = np.array([0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0], bool)
    assert pause_centers(loud, 1).tolist() == [4, 6, 10]
    assert pause_centers(loud, 2).tolist() == [4, 10]
    assert pause_centers(np.zeros(5, bool), 1).tolist() == []


def test_cuts_too_close_to_one_another_are_dropped() -> None:
    assert drop_close_cuts(np.array([1, 10, 12, 19]), 20, 5) == [10]
    assert drop_close_cuts(np.array([1, 10, 12, 19]), 20, 0) == [1, 10, 12, 19]


def test_long_pieces_are_cut_in_the_quietest_window() -> None:
    assert cut_long_pieces([], 100, 50, POWERS, 10) == [35, 75]
    assert cut_long_pieces([60], 100, 100, POWERS, 10) == [60]
