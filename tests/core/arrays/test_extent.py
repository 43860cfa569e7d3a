"""Extent and mean of arrays, against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tonearm.arrays.extent import Extent, extent_of, finite_extent_of, mean_of


@given(hnp.arrays(st.sampled_from(["f4", "f8", "i2", "u1"]), hnp.array_shapes(max_dims=3, max_side=6)))
def test_the_extent_is_numpys(array: Any) -> None:
    with np.errstate(invalid="ignore"):
        extent = extent_of(array)
        low, high = float(array.min()), float(array.max())
    assert np.array_equal([extent.low, extent.high], [low, high], equal_nan=True)
    assert extent.finite == bool(np.isfinite(array).all())


@pytest.mark.parametrize("kind", ["<c8", ">c8", "c16"])
@pytest.mark.parametrize(
    "view", ["whole", "transposed", "of three axes", "strided", "mirrored", "large", "large, strided"]
)
def test_the_extent_of_complex_values_is_over_both_parts(kind: str, view: str) -> None:
    rng = np.random.default_rng(3)
    values = (rng.standard_normal((600, 700)) + 1j * rng.standard_normal((600, 700))).astype(kind)
    array = {
        "whole": values[:40],
        "transposed": values[:40].T,
        "of three axes": values[:40].reshape(4, 10, 700).transpose(2, 1, 0),
        "strided": values[:40, ::3],
        "mirrored": values[:40, ::-1],
        "large": values.T,
        "large, strided": values[:, ::2],
    }[view]
    parts = array.real, array.imag
    wanted = Extent(float(min(part.min() for part in parts)), float(max(part.max() for part in parts)))
    assert extent_of(array) == finite_extent_of(array) == wanted
    array[7, 3] = complex(-9, 0)
    array[3, 7] = complex(0, 11)
    assert extent_of(array) == Extent(-9, 11)
    array[2, 2] = complex(0, math.nan)
    assert not extent_of(array).finite
    assert finite_extent_of(array) == Extent(-9, 11)


def test_the_widest_range_is_finite_still() -> None:
    assert extent_of(np.array([-1.7e308, 1.7e308])).finite


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_nan_is_not_lost_among_what_comes_before_and_after(at: int) -> None:
    array = np.array([-3, 1, 7, 2], "f4")
    array[at] = math.nan
    assert not extent_of(array).finite
    assert not extent_of(np.array([1, 2], "f4"), array, np.array([1, 2], "f4")).finite


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("offset", [0, 0.25])
def test_the_mean_is_right_to_six_digits_of_the_peak(kind: str, offset: float) -> None:
    array = (np.random.default_rng(1).uniform(-1, 1, (2, 1_500_000)) * 0.5 + offset).astype(kind)
    peak = extent_of(array).peak
    assert abs(mean_of(array, peak) - array.mean(dtype="f8")) < 1e-6 * peak


def test_the_mean_of_what_would_overflow() -> None:
    array = np.full((1, 1000), 3e38, "f4")
    assert mean_of(array, 3e38) == pytest.approx(3e38)


def test_the_extent_of_what_is_finite() -> None:
    assert finite_extent_of(np.array([math.nan, -2, 3, math.inf])) == Extent(-2, 3)
    assert finite_extent_of(np.array([math.nan])) == Extent(0, 0)
