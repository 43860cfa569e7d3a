"""limiter: ceilings as a pipeline sets them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from transform_helpers import apply, problems, speech

from tonearm_plugins.dsp.true_peak import measure_true_peak
from tonearm_plugins.transforms.limiter import Limiter


def db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


def test_true_peaks_are_under_minus_1_by_default() -> None:
    found, context = apply(Limiter, speech() * np.float32(8), 22050)
    assert db(measure_true_peak(found)) == pytest.approx(-1, abs=3e-3)
    assert measure_true_peak(found) <= 10 ** (-1 / 20)
    assert context.measurements["reduction_db"] > 6


def test_or_those_of_the_samples_alone() -> None:
    found, _ = apply(Limiter, speech() * np.float32(8), 22050, peak_db=-3.0)
    assert 0.999 * 10 ** (-3 / 20) < np.abs(found).max() <= 10 ** (-3 / 20)


def test_two_ceilings_are_refused() -> None:
    step = {"use": "limiter", "with": {"peak_db": -1, "true_peak_db": -1}}
    assert "limiter: peak_db and true_peak_db are two ceilings" in problems(step)


@pytest.mark.parametrize("channels", range(1, 9))
def test_one_sample_of_any_number_of_channels(channels: int) -> None:
    found, _ = apply(Limiter, np.full((channels, 1), 3, "f4"), peak_db=0.0)
    np.testing.assert_array_equal(found, 1)
