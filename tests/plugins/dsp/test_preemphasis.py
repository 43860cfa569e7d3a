"""De-emphasis, against scipy's recursive filter, across blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from tonearm_plugins.dsp.preemphasis import deemphasis


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.97, 0.9999])
@pytest.mark.parametrize("length", [1, 2, 1000, 300_001])
def test_it_is_the_recursive_filter(length: int, coefficient: float) -> None:
    samples = np.random.default_rng(length).standard_normal((2, length))
    expected = scipy.signal.lfilter([1], [1, -coefficient], samples)
    found = deemphasis(samples, coefficient)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_the_result_has_the_dtype_that_was_asked_for() -> None:
    samples = np.ones((1, 5))
    assert deemphasis(samples, 0.5).dtype == "f8"
    found = deemphasis(samples, 0.5, dtype=np.float32)
    assert found.dtype == "f4"
    np.testing.assert_allclose(found, [[1, 1.5, 1.75, 1.875, 1.9375]])
