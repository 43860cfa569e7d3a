"""The kernel of the limiter, against the definition in float64 and against the limiter in numpy, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from dsp_material import NARROW, WIDE, only_native

from tonearm_plugins.dsp.engines.native.compiler import this_machine
from tonearm_plugins.dsp.engines.native.limiter_kernel import CHUNK, NativePass
from tonearm_plugins.dsp.limiter import limit
from tonearm_plugins.dsp.limiter_settings import LimiterSettings

pytestmark = only_native


def bursts(length: int, channels: int, seed: int = 0) -> np.ndarray:
    """Return quiet noise with loud stretches, far enough apart that the limiter comes to rest between them."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((channels, length)) * 0.05
    for start in range(length // 7, length, 8 * CHUNK + 77):
        samples[:, start : start + 300] *= rng.uniform(5, 60)
    return samples.astype("f4")


def machines() -> list:
    return [NARROW, WIDE] if not only_native.args[0] and this_machine().lanes == 16 else [NARROW]


@pytest.mark.parametrize("machine", machines())
@pytest.mark.parametrize("true_peak", [False, True])
@pytest.mark.parametrize(("lookahead", "release"), [(1, 5), (2, 300), (33, 1e-3), (240, 500), (CHUNK + 5, 100)])
def test_it_is_the_limiter_in_numpy(machine, true_peak, lookahead, release) -> None:
    samples = bursts(60_000, 2)
    settings = LimiterSettings(0.3, lookahead, release, true_peak)
    wanted, reduction_db = samples, 0.0
    for _ in range(2 if true_peak else 1):
        one = NativePass(settings, machine)
        wanted, reduction_db = one.push(wanted, is_last=True), reduction_db + one.max_reduction
    found = limit(samples, 0.3, lookahead=lookahead, release=release, true_peak=true_peak, engine="scipy")
    assert found.reduction_db == pytest.approx(reduction_db, abs=1e-5)
    np.testing.assert_allclose(wanted, found.samples, rtol=0, atol=1e-6)
    assert reduction_db > 6
    changed = (wanted != samples).mean()
    assert 0.005 < changed < 0.9  # it comes to rest, and what it copies stays


@pytest.mark.parametrize("true_peak", [False, True])
@pytest.mark.parametrize("lookahead", [1, 100, 3000])
def test_cuts_and_lanes_change_no_bit_and_no_sample_is_lost(true_peak, lookahead) -> None:
    samples = bursts(30_000, 3, seed=1)
    settings = LimiterSettings(0.2, lookahead, 500, true_peak)
    whole = NativePass(settings).push(samples, is_last=True)
    assert whole.shape == samples.shape
    for seed, machine in enumerate([None, *machines()]):
        cuts = np.sort(np.random.default_rng(seed).integers(0, 30_000, (400, 40, 4)[seed]))
        one = NativePass(settings, machine)
        *first, last = np.split(samples, cuts, axis=1)
        parts = [one.push(part) for part in first]
        waiting = one.waiting
        parts.append(one.push(last, is_last=True))
        assert parts[-1].shape[1] == waiting + last.shape[1]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_may_begin_and_end_at_its_loudest(seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((1, 500)).astype("f4")
    found = samples
    for _ in range(2):
        found = NativePass(LimiterSettings(0.3, 40, 1e-3, true_peak=True)).push(found, is_last=True)
    wanted = limit(samples, 0.3, lookahead=40, release=1e-3, true_peak=True, engine="scipy").samples
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_release_ends() -> None:
    samples = np.full((1, 40_000), 0.1, "f4")
    samples[0, 100] = 0.5
    one = NativePass(LimiterSettings(0.3, 40, 500, true_peak=False))
    one.push(samples)
    assert one.max_reduction > 4
    assert not one.at_work


def test_loud_samples_of_any_size_stay_under_the_ceiling() -> None:
    samples = np.array([[0, 3e38, -3e38, 1e-45, 1, -1, 0.5, 1e20] * 40], "f4")
    for true_peak in (False, True):
        found = NativePass(LimiterSettings(1e-6, 40, 10, true_peak)).push(samples, is_last=True)
        assert np.abs(found).max() <= 1e-6
        assert np.isfinite(found).all()
