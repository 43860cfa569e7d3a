"""The limiter, against its definition sample by sample in float64, and the ceiling that it must hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import soxr
from dsp_material import ENGINES
from hypothesis import given
from hypothesis import strategies as st
from meter_material import noise, speech

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.limiter import limit, sliding_maximum
from tonearm_plugins.dsp.true_peak import measure_true_peak


def bursts(length: int, channels: int, seed: int, kind: str = "f4") -> Any:
    """Return noise with loud and quiet stretches, and single clicks."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0, 1, length // 50 + 1), 50)[:length] ** 3
    samples = rng.standard_normal((channels, length)) * level
    samples[:, rng.integers(0, length, 3)] *= 10
    return samples.astype(kind)


def defined(samples: Any, ceiling: float, lookahead: int, release: float) -> Any:
    """Return the gain in dB: the largest reduction within the look-ahead, in its release, smoothed."""
    peaks = np.abs(samples.astype("f8")).max(axis=0)
    needed = np.maximum(0, 20 * np.log10(np.maximum(peaks, 1e-300) / ceiling))
    padded = np.pad(needed, lookahead - 1)
    held = [0.0]
    for n in range(len(padded) - lookahead + 1):
        held.append(max(padded[n : n + lookahead].max(), held[-1] * math.exp(-1 / release)))
    first = lookahead // 2 + 1
    window = np.convolve(np.full(first, 1 / first), np.full(lookahead - first + 1, 1 / (lookahead - first + 1)))
    return -np.convolve(held[1:], window, "valid")


@pytest.mark.parametrize(("engine", "kind"), [("auto", "f8"), *((engine, "f4") for engine in ENGINES)])
@pytest.mark.parametrize("lookahead", [1, 2, 7, 240])
@pytest.mark.parametrize("length", [1, 2, 100, 5000])
def test_it_follows_its_definition(length: int, lookahead: int, engine: str, kind: str) -> None:
    samples = bursts(length, 2, length, kind)
    found = limit(samples, 0.5, lookahead=lookahead, release=300, true_peak=False, engine=engine)
    gain = 10 ** (defined(samples, 0.5, lookahead, 300) / 20)
    np.testing.assert_allclose(found.samples, samples * gain, atol=2e-6 * np.abs(samples).max())
    assert found.reduction_db == pytest.approx(-20 * math.log10(gain.min()), abs=1e-4)


@given(
    length=st.integers(1, 3000),
    channels=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
    ceiling=st.floats(1e-3, 1.0),
    lookahead=st.integers(1, 500),
    release=st.floats(1, 5000),
    kind=st.sampled_from(["f4", "f8"]),
    engine=st.sampled_from(ENGINES),
)
def test_no_sample_is_ever_over_the_ceiling(
    length: int, channels: int, seed: int, ceiling: float, lookahead: int, release: float, kind: str, engine: str
) -> None:
    samples = bursts(length, channels, seed, kind)
    found = limit(samples, ceiling, lookahead=lookahead, release=release, true_peak=False, engine=engine).samples
    assert found.dtype == kind
    assert found.shape == samples.shape
    assert float(np.abs(found).max()) <= ceiling
    assert (np.abs(found) <= np.abs(samples)).all()
    assert (found * samples >= 0).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lookahead", [2, 30, 240])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_between_samples_is_over_it_either(seed: int, lookahead: int, engine: str) -> None:
    samples = bursts(20_000, 2, seed)
    found = limit(samples, 0.25, lookahead=lookahead, release=500, true_peak=True, engine=engine).samples
    assert measure_true_peak(found, engine=engine) <= 0.25
    assert np.abs(found).max() <= 0.25


def test_other_resamplers_see_no_peak_over_it_in_speech() -> None:
    samples = speech(22050) * np.float32(6)
    found = limit(samples, 0.5, lookahead=110, release=1100, true_peak=True)
    assert found.reduction_db > 6
    assert np.abs(soxr.resample(found.samples[0], 22050, 8 * 22050, "VHQ")).max() < 0.5 * 10 ** (0.2 / 20)


def test_a_peak_at_the_very_beginning_and_end_is_held() -> None:
    for place in (0, 1, 998, 999):
        samples = np.full((1, 1000), 0.1, "f4")
        samples[0, place] = -1
        found = limit(samples, 0.5, lookahead=100, release=10, true_peak=False).samples
        assert found[0, place] == -0.5
        assert np.abs(found).max() == 0.5


def test_the_gain_goes_down_ahead_and_has_no_jumps() -> None:
    samples = np.full((1, 2000), 0.1)
    samples[0, 1000] = 1.0
    found = limit(samples, 0.5, lookahead=200, release=100, true_peak=False).samples
    gain_db = 20 * np.log10(found / samples)[0]
    assert gain_db[1000] == pytest.approx(-6.02, abs=0.01)
    assert (gain_db[:800] == 0).all()
    assert gain_db[900] < -2
    assert np.abs(np.diff(gain_db)).max() < 2 * 6.02 / 100
    assert (np.diff(gain_db[800:1001]) <= 1e-9).all()  # down, and up again
    assert (np.diff(gain_db[1100:]) >= -1e-9).all()


def test_all_channels_have_one_gain() -> None:
    samples = bursts(4000, 3, 5, "f8")
    samples[1] *= 0.01
    found = limit(samples, 0.3, lookahead=50, release=200, true_peak=False).samples
    gain = (found / samples)[:, np.abs(samples).min(axis=0) > 1e-6]
    np.testing.assert_allclose(gain, np.tile(gain[:1], (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("true_peak", [False, True])
def test_samples_under_the_ceiling_stay_bit_by_bit(true_peak: bool, engine: str) -> None:
    samples = noise(10, 22050, 2)
    found = limit(samples, 2.0, lookahead=100, release=1000, true_peak=true_peak, engine=engine)
    assert found.reduction_db == 0
    np.testing.assert_array_equal(found.samples, samples)


def test_blocks_do_not_show() -> None:
    samples = np.zeros((1, 3 * BLOCK_LENGTH), "f4") + np.float32(0.1)
    for place in (BLOCK_LENGTH - 1, BLOCK_LENGTH, BLOCK_LENGTH + 1, 2 * BLOCK_LENGTH + 5):
        alone = samples.copy()
        alone[0, place] = 1
        near = slice(place - 3000, place + 3000)
        found = limit(alone, 0.5, lookahead=500, release=400, true_peak=False).samples[:, near]
        wanted = limit(alone[:, near], 0.5, lookahead=500, release=400, true_peak=False).samples
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        assert np.abs(found).max() <= 0.5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("true_peak", [False, True])
def test_nan_and_infinity_stay_and_do_not_change_the_gain(true_peak: bool, engine: str) -> None:
    samples = bursts(3000, 2, 1)
    clean = samples.copy()
    samples[0, 1500], samples[1, 10], samples[1, 2000] = np.nan, np.inf, -np.inf
    clean[0, 1500] = clean[1, 10] = clean[1, 2000] = 0
    found, wanted = (
        limit(x, 0.5, lookahead=50, release=100, true_peak=true_peak, engine=engine).samples for x in (samples, clean)
    )
    finite = np.isfinite(samples)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    np.testing.assert_array_equal(found[finite], wanted[finite])


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60), st.integers(1, 60))
def test_the_sliding_maximum_is_one(values: list[float], size: int) -> None:
    size = min(size, len(values))
    found = sliding_maximum(np.array(values), size)
    assert list(found) == [max(values[i : i + size]) for i in range(len(values) - size + 1)]
