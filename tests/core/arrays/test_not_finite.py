"""NaN and infinity: counted, replaced, refused."""

from __future__ import annotations

import math

import numpy as np

from tonearm.arrays.not_finite import not_finite_error, replace_not_finite


def test_nan_is_counted_and_replaced() -> None:
    array = np.array([[1, math.nan], [-math.inf, 2]], "f4")
    assert replace_not_finite(array).tolist() == [[1, 0], [0, 2]]
    assert replace_not_finite(array).dtype == "f4"
    assert not_finite_error(array, "waveform").message == "2 of 4 values of the waveform are NaN or infinite"
