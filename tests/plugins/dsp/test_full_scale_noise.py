"""Noise at full level: what other encodings sound like is told from sound, loud or soft."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.full_scale_noise import EXCERPT, is_full_scale_noise, is_rough, neighbour_correlation

RNG = np.random.default_rng(7)
TIME = np.arange(40_000)
CHIRP = np.sin(2e-6 * TIME**2 + 0.01 * TIME)[:, None]


def test_bytes_at_random_are_noise() -> None:
    for dtype, scale in (("<i2", 32768), ("u1", 128), ("<i4", 1 << 31)):
        values = np.frombuffer(RNG.bytes(80_000), dtype).astype("f8") / scale - (dtype == "u1")
        assert is_full_scale_noise(values[:, None])
        assert is_full_scale_noise(values.reshape(-1, 2))
        assert is_rough(values[:, None])


@pytest.mark.parametrize("level", [0.001, 0.3, 1.0])
def test_sound_is_not(level: float) -> None:
    assert not is_full_scale_noise(level * CHIRP)
    assert not is_rough(level * CHIRP)
    assert not is_full_scale_noise(np.clip(8 * level * CHIRP, -1, 1))  # a square


def test_soft_noise_is_left_alone() -> None:
    noise = RNG.uniform(-0.3, 0.3, (40_000, 1))
    assert not is_full_scale_noise(noise)
    assert not is_rough(noise)


def test_swapped_bytes_of_a_tone_are_rough() -> None:
    tone = (0.4 * np.sin(0.17 * TIME) * 32767).astype("<i2")
    assert not is_rough(tone[:, None] / 32768)
    assert is_rough(tone.byteswap()[:, None] / 32768)


def test_an_excerpt_from_the_middle_is_looked_at() -> None:
    values = np.zeros((4 * EXCERPT, 1))
    values[EXCERPT : 3 * EXCERPT] = RNG.uniform(-1, 1, (2 * EXCERPT, 1))
    assert is_full_scale_noise(values)
    assert not is_full_scale_noise(values[: EXCERPT // 2])


def test_what_cannot_be_told_is_no_noise() -> None:
    assert not is_full_scale_noise(np.full((5000, 1), np.nan))
    assert not is_full_scale_noise(np.full((5000, 1), np.inf))
    assert not is_full_scale_noise(np.zeros((5000, 1)))
    assert not is_full_scale_noise(RNG.uniform(-1, 1, (100, 1)))


def test_the_correlation_of_neighbours_is_numpys() -> None:
    values = np.cumsum(RNG.standard_normal((5000, 1)), axis=0)
    expected = np.corrcoef(values[1:, 0], values[:-1, 0])[0, 1]
    assert neighbour_correlation(values) == pytest.approx(expected, abs=0.01)
    assert neighbour_correlation(np.ones((10, 1))) == 0
