"""Linear prediction: sounds that go on as they did, and never louder for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm_plugins.dsp.linear_prediction import Ending, continuation


@pytest.mark.parametrize("hertz", [60, 440, 5000, 15_000])
def test_sines_go_on(hertz: int) -> None:
    time = np.arange(960 + 1300) / 48_000
    sines = np.stack([0.3 * np.sin(2 * np.pi * hertz * time + 1), 0.3 * np.cos(2 * np.pi * 1.7 * hertz * time)])
    found = continuation(sines[:, :960].astype("f4"), 1300)
    assert found.shape == (2, 1300)
    assert np.abs(found - sines[:, 960:])[:, :400].max() < 0.02


def test_noise_is_continued_without_a_jump() -> None:
    noise = np.convolve(np.random.default_rng(0).standard_normal(2000), np.ones(20) / 20, "valid")
    found = continuation(noise[None], 500)[0]
    assert abs(found[0] - noise[-1]) < 3 * np.abs(np.diff(noise)).mean()


@given(seed=st.integers(0, 999), length=st.integers(1, 1000), count=st.integers(0, 2000))
@settings(max_examples=60)
def test_it_never_grows_without_bound(seed: int, length: int, count: int) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (1, length))
    found = continuation(samples, count)
    assert found.shape == (1, count)
    assert np.isfinite(found).all()
    assert not count or np.abs(found).max() < 20


def test_silence_and_constants_stay() -> None:
    assert not continuation(np.zeros((2, 700)), 300).any()
    np.testing.assert_allclose(continuation(np.full((1, 700), 0.25), 300), 0.25, atol=1e-6)


@given(cuts=st.lists(st.integers(0, 3000), max_size=6).map(sorted))
@settings(max_examples=30)
def test_the_end_of_blocks_is_that_of_the_whole(cuts: list[int]) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (2, 3000)).astype("f4")
    ending = Ending(2, 16_000)
    for block in np.split(samples, cuts, 1):
        ending.push(block)
    np.testing.assert_array_equal(ending.continuation(500), continuation(samples[:, -800:], 500))
