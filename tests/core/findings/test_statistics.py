"""Statistics of arrays: right for every type, and bounded in what they touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from real_arrays import guessed

from tonearm.errors import ItemError
from tonearm.findings.statistics import compute_statistics

RNG = np.random.default_rng(9)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u1", "c8"])
def test_statistics_equal_those_of_numpy(dtype: str) -> None:
    array = (RNG.normal(size=(30, 40)) * 50).astype(dtype)
    seen = compute_statistics(array)
    parts = np.stack([array.real, array.imag]) if dtype == "c8" else array
    assert (seen.low, seen.high) == (parts.min(), parts.max())
    assert seen.mean == pytest.approx(parts.mean(dtype="f8"), rel=1e-5, abs=1e-9)
    assert seen.negative == (parts < 0).sum()
    assert seen.low_count == (parts == parts.min()).sum()
    assert seen.whole == (np.dtype(dtype).kind in "iu")
    if dtype[0] == "f":
        signed = array.astype("f8")
        for axis in (0, 1):
            rows = np.moveaxis(signed, axis, 0)
            assert seen.correlation[axis] == pytest.approx(
                np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1], abs=1e-4
            )
    assert compute_statistics(np.array([[1.0, 0, 0], [2, 0, 0]])).trailing_zeros == (0, 2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e300, np.inf, np.nan, 1e-320])
@pytest.mark.parametrize("shape", [(9, 9), (500,), (80, 30), (513, 4), (2, 3, 4, 5, 6), (1, 1)])
def test_extreme_values_raise_no_warning(value: float, shape: tuple[int, ...]) -> None:
    for dtype in ("f8", "c16"):
        array = np.full(shape, value, dtype)
        assert guessed(array).findings
        array.flat[0] = -value
        assert guessed(array).findings


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros((0, 3)), np.array([True])])
def test_arrays_without_numbers_are_refused(array: Any) -> None:
    with pytest.raises(ItemError):
        compute_statistics(array)


def test_the_ends_of_a_transform_of_real_samples_are_real() -> None:
    spectrum = np.fft.rfft(RNG.normal(size=(20, 16)), axis=1)
    assert compute_statistics(spectrum).real_ends == ((False, False), (True, True))
    assert compute_statistics(np.fft.rfft(RNG.normal(size=(20, 15)), axis=1)).real_ends == (
        (False, False),
        (True, False),
    )
    assert compute_statistics(spectrum.real.astype("c16")).real_ends == ()
    assert compute_statistics(spectrum.real).real_ends == ()


def test_the_peak_of_zeros_has_no_sign() -> None:
    assert str(compute_statistics(np.zeros((2, 9), "f4")).peak) == "0.0"


def test_only_finite_values_count() -> None:
    stats = compute_statistics(np.array([np.nan, -2.0, -2.0, 3.0, np.inf]))
    assert (stats.low, stats.high, stats.mean, stats.not_finite, stats.negative, stats.low_count) == (
        -2.0, 3.0, pytest.approx(-1 / 3), 2, 2, 2,
    )  # fmt: skip
    assert (stats.size, stats.finite, stats.peak) == (5, 3, 3.0)
