"""deemphasis: against scipy's filter, librosa, and pre-emphasis itself."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
from transform_helpers import apply, problems, speech

from tonearm_plugins.transforms.deemphasis import Deemphasis


def noise(channels: int, length: int, kind: str = "f8") -> Any:
    return np.random.default_rng(length).standard_normal((channels, length)).astype(kind)


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.85, 0.97, 0.9999])
@pytest.mark.parametrize("length", [1, 2, 1000, 100_001])
def test_it_is_the_filter(length: int, coefficient: float) -> None:
    samples = noise(2, length)
    wanted = scipy.signal.lfilter([1], [1, -coefficient], samples)
    found, _ = apply(Deemphasis, samples, coefficient=coefficient)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_it_is_the_inverse_of_pre_emphasis(kind: str) -> None:
    for samples in (speech().astype(kind), noise(3, 70_000, kind)):
        emphasised = samples.copy()
        emphasised[:, 1:] -= np.asarray(0.97, kind) * samples[:, :-1]
        found, _ = apply(Deemphasis, emphasised)
        assert np.abs(found - samples).max() < (1e-13 if kind == "f8" else 5e-6) * np.abs(samples).max()


def test_it_is_librosas() -> None:
    samples = speech().astype("f8")
    wanted = librosa.effects.deemphasis(samples, coef=0.97, zi=np.zeros((1, 1)))
    np.testing.assert_allclose(apply(Deemphasis, samples)[0], wanted, atol=1e-10)


def test_nan_and_infinity_stay() -> None:
    samples = noise(1, 1000)
    clean = samples.copy()
    samples[0, 500], clean[0, 500] = np.nan, 0
    found, wanted = apply(Deemphasis, samples)[0], apply(Deemphasis, clean)[0]
    assert np.isnan(found[0, 500])
    np.testing.assert_array_equal(np.delete(found, 500), np.delete(wanted, 500))


def test_a_filter_that_does_not_end_is_refused() -> None:
    assert "deemphasis: 'coefficient' is 1" in problems({"use": "deemphasis", "with": {"coefficient": 1}})
