"""Samples as integers: rounded like exact arithmetic, never wrapped, and dithered by noise alone."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tonearm.api import rounding


def noise(channels: int, frames: int, kind: str = "f4", loud: float = 0.3) -> Any:
    samples = np.random.default_rng(channels * 1000 + frames).standard_normal((channels, frames)) * loud
    return samples.astype(kind)


def exact(x: float, bits: int) -> int:
    """What the sample becomes in exact arithmetic; Python rounds fractions half to even."""
    top = 2 ** (bits - 1)
    return max(-top, min(top - 1, round(Fraction(x) * top)))


@pytest.mark.parametrize("kind", ["f4", "f8", ">f4", ">f8"])
@pytest.mark.parametrize("bits", [8, 16, 20, 24, 32])
@settings(max_examples=25)
@given(data=st.data())
def test_rounding_is_that_of_exact_fractions(kind: str, bits: int, data: st.DataObject) -> None:
    width = int(kind[-1]) * 8
    step = 2.0 ** -(bits - 1)
    near = st.integers(-(2**bits), 2**bits).map(lambda k: k * step / 2)  # every half and every whole
    values = st.floats(-1.5, 1.5, width=width) | near | st.sampled_from([1.0, -1.0, 0.0, -0.0, 5e-324, 1e30, -1e30])
    samples = np.array(data.draw(st.lists(values, min_size=1, max_size=20)), kind)
    got, clipped = rounding.quantize(samples, bits)
    assert got.dtype == (np.int16 if bits <= 16 else np.int32)
    assert got.tolist() == [exact(float(x), bits) for x in samples]
    assert clipped == sum(abs(float(x)) > 1.0 for x in samples)


def test_halves_go_to_even_and_nothing_wraps() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 32766.5, 32767.5, 32768, 32769, -32768, -32769, 1e9]) / 32768
    for kind in ("f4", "f8"):
        got, clipped = rounding.quantize(x.astype(kind), 16)
        assert got.tolist() == [0, 2, 2, 0, -2, 32766, 32767, 32767, 32767, -32768, -32768, 32767]
        assert clipped == 3


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (2, 3, 4), (0,), (2, 0)])
def test_quantize_keeps_any_shape_and_its_input(shape: tuple[int, ...]) -> None:
    samples = np.full(shape, 1.5, np.float32)
    samples.flags.writeable = False
    got, clipped = rounding.quantize(samples, 24)
    assert got.shape == shape
    assert (got == 2**23 - 1).all()
    assert clipped == got.size


@given(hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(-2, 2, width=32)))
def test_the_largest_float32_samples_do_not_overflow_while_scaling(samples: Any) -> None:
    samples[0] = np.finfo(np.float32).max
    for bits in (16, 24, 32):
        got, _ = rounding.quantize(samples, bits)
        assert got.tolist() == [exact(float(x), bits) for x in samples]


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_dither_makes_the_error_noise_that_does_not_depend_on_the_sound(kind: str, bits: int) -> None:
    step = 2.0 ** -(bits - 1)
    for level in (0.0, 0.25, 0.5, 0.9):
        samples = np.full(200_000, level * step, kind)
        got, clipped = rounding.quantize(samples, bits, np.random.default_rng(1))
        error = got - level
        # Of triangular dither the first two moments are those of noise alone: mean 0, variance 1/4 of a step squared.
        assert abs(error.mean()) < 0.005
        assert abs(error.var() - 0.25) < 0.005
        assert abs(error).max() < 1.5
        assert clipped == 0
    assert len(set(got.tolist())) == 3


def test_dither_is_never_beyond_full_scale_and_is_the_same_each_time() -> None:
    samples = np.tile(np.array([1.0, -1.0], "f4"), 10_000)
    for bits in (8, 16, 24, 32):
        got, clipped = rounding.quantize(samples, bits, np.random.default_rng(3))
        top = 2 ** (bits - 1)
        assert (got.min(), got.max(), clipped) == (-top, top - 1, 0)
        again, _ = rounding.quantize(samples, bits, np.random.default_rng(3))
        np.testing.assert_array_equal(got, again)
        other, _ = rounding.quantize(samples, bits, np.random.default_rng(4))
        assert (got != other).any()


def test_channels_are_dithered_apart() -> None:
    got, _ = rounding.quantize(np.zeros((2, 10_000), "f4"), 16, np.random.default_rng(0))
    assert abs(np.corrcoef(got)[0, 1]) < 0.05
