"""fade: shapes, and fades that are longer than the sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transform_helpers import apply

from tonearm_plugins.dsp.fades import fade_in
from tonearm_plugins.transforms.fade import Fade

SHAPES = ("linear", "cosine", "equal-power", "exponential")


@pytest.mark.parametrize("shape", SHAPES)
@given(length=st.integers(1, 400), rise=st.floats(0, 300), fall=st.floats(0, 300))
def test_it_rises_and_falls_and_is_whole_between(shape: str, length: int, rise: float, fall: float) -> None:
    found, _ = apply(Fade, np.ones((2, length)), 1000, in_ms=rise, out_ms=fall, shape=shape)
    np.testing.assert_array_equal(found[0], found[1])
    top = int(np.argmax(found[0]))
    assert (np.diff(found[0, : top + 1]) >= 0).all()
    assert (np.diff(found[0, top:]) <= 0).all()
    assert found.min() >= 0
    rise, fall = round(rise), round(fall)
    if rise + fall < length:
        assert (found[0, rise : length - fall] == 1).all()
        assert rise == 0 or found[0, 0] == 0
        assert fall == 0 or found[0, -1] == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_its_gains_are_those_of_the_shape(shape: str) -> None:
    found, _ = apply(Fade, np.ones((1, 300)), 1000, in_ms=100.0, out_ms=0.0, shape=shape)
    np.testing.assert_array_equal(found[0, :100], fade_in(100, shape))
    out, _ = apply(Fade, np.ones((1, 300)), 1000, in_ms=0.0, out_ms=100.0, shape=shape)
    np.testing.assert_array_equal(out, found[:, ::-1])


def test_one_sample_and_nan_stay() -> None:
    np.testing.assert_array_equal(apply(Fade, np.full((1, 1), np.nan, "f4"))[0], np.nan)
    assert apply(Fade, np.ones((1, 1), "f4"), in_ms=100.0, out_ms=100.0)[0] == pytest.approx(1)
