"""Fades: their shapes in closed form, sums of crossfades, and cut ends."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.fades import FADE_SHAPES, crossfade, fade_in, truncate


def test_shapes_are_what_their_names_say() -> None:
    x = np.arange(100) / 100
    expected = {
        "linear": x,
        "cosine": (1 - np.cos(np.pi * x)) / 2,
        "equal-power": np.sqrt((1 - np.cos(np.pi * x)) / 2),
        "exponential": np.where(x > 0, 10 ** (60 * (x - 1) / 20), 0),
    }
    assert set(FADE_SHAPES) == set(expected)
    for shape, gains in expected.items():
        np.testing.assert_allclose(fade_in(100, shape), gains, atol=1e-12)
        assert fade_in(0, shape).size == 0


@pytest.mark.parametrize(("shape", "power"), [("linear", 1), ("cosine", 1), ("equal-power", 2)])
@pytest.mark.parametrize("length", [1, 2, 99])
def test_a_crossfade_keeps_the_level(shape: str, power: int, length: int) -> None:
    falling, rising = crossfade(length, shape)
    np.testing.assert_allclose(falling**power + rising**power, 1, atol=1e-12)
    np.testing.assert_array_equal(falling, rising[::-1])
    assert (rising > 0).all()
    assert (rising < 1).all()


def test_a_cut_end_is_faded() -> None:
    samples = np.ones((2, 100), "f4")
    found = truncate(samples, 50, fade=20)
    assert (found.shape, found.dtype) == ((2, 50), "f4")
    assert (found[:, :31] == 1).all()
    np.testing.assert_allclose(found[:, 30:], np.tile(np.linspace(1, 0, 20), (2, 1)), atol=1e-6)
    assert (truncate(samples, 5, fade=20)[:, -1] == 0).all()
    assert (truncate(samples, 5, fade=0) == 1).all()
    assert (samples == 1).all(), "the input stays as it is"
