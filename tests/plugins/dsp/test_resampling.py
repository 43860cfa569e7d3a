"""Resampling, against scipy's polyphase filter, with exact lengths."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soxr
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.dsp.resampling import (
    LEAST_LENGTH,
    SOXR_QUALITIES,
    STREAM_BLOCK_LENGTH,
    Resampler,
    resample,
    resampled_length,
)

RATES = st.integers(1, 400_000)


@given(length=st.integers(1, 10**9), old=RATES, new=RATES)
def test_the_length_is_the_fewest_samples_that_last_as_long(length: int, old: int, new: int) -> None:
    assert resampled_length(length, old, new) == math.ceil(Fraction(length) * new / old)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_it_agrees_with_scipy_below_the_filter_edge(kind: str) -> None:
    noise = np.random.default_rng(3).standard_normal(24000)
    low = scipy.signal.sosfiltfilt(scipy.signal.butter(12, 5000, fs=48000, output="sos"), noise) * 0.1
    found = resample(low[None].astype(kind), 48000, 16000, "very-high")[0]
    assert found.dtype == kind
    expected = scipy.signal.resample_poly(low, 1, 3, window=("kaiser", 14.0))
    error = np.abs(found - expected)[1000:-1000].max() / np.abs(expected).max()
    assert error < 1e-4


def test_one_sample_is_not_lost() -> None:
    for old, new in ((48000, 8000), (8000, 48000)):
        found = resample(np.full((2, 1), 0.5, "f4"), old, new)
        assert found.shape == (2, resampled_length(1, old, new))
        assert np.abs(found).max() > 0.05


@pytest.mark.parametrize(("old", "new"), [(22050, 48000), (48000, 16000), (44100, 44101)])
@pytest.mark.parametrize(("quality", "kind"), [("quick", "f4"), ("high", "f4"), ("very-high", "f8")])
def test_blocks_are_resampled_as_one_to_the_bit(quality: Any, kind: str, old: int, new: int) -> None:
    samples = np.random.default_rng(new).standard_normal((1, 20 * STREAM_BLOCK_LENGTH + 77)).astype(kind)
    padded = np.append(samples[0], np.zeros(2 * (old // new + 1), kind))
    expected = soxr.resample(padded, old, new, SOXR_QUALITIES[quality])
    found = resample(samples, old, new, quality)
    np.testing.assert_array_equal(found[0], expected[: found.shape[1]])


@given(
    rates=st.sampled_from([(22050, 24000), (44100, 48000), (96000, 16000), (44100, 44101)]),
    cuts=st.lists(st.integers(1, 9000), min_size=1, max_size=6),
    kind=st.sampled_from(["f4", "f8"]),
)
def test_a_stream_gives_the_bits_of_the_whole(rates: tuple[int, int], cuts: list[int], kind: str) -> None:
    samples = np.random.default_rng(7).standard_normal((2, sum(cuts))).astype(kind)
    resampler = Resampler(*rates)
    parts = [resampler.push(block) for block in np.split(samples, np.cumsum(cuts)[:-1], axis=1)]
    found = np.concatenate([*parts, resampler.push(samples[:, :0], is_last=True)], axis=1)
    np.testing.assert_array_equal(found, resample(samples, *rates))
    assert found.dtype == kind


def test_threads_change_no_bit_and_progress_reaches_the_end() -> None:
    samples = np.random.default_rng(7).standard_normal((3, LEAST_LENGTH + 5)).astype("f4")
    reported: list[tuple[float, float]] = []
    found = resample(samples, 22050, 16000, threads=2, on_progress=lambda *done: reported.append(done))
    np.testing.assert_array_equal(found, resample(samples, 22050, 16000))
    assert reported[-1] == (3, 3)
