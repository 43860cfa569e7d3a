"""The filters between samples: what they sum up to, what they do to a sine, and how far they may go."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.interpolation import HALO, OVERSAMPLING, TAPS, interpolation_filters, max_overshoot


def test_the_bound_is_one() -> None:
    for taps in interpolation_filters():
        worst = np.sign(taps[::-1])
        assert np.abs(np.convolve(worst, taps)).max() <= max_overshoot() + 1e-12
    assert np.abs(interpolation_filters()).sum(axis=1).max() == max_overshoot()


@pytest.mark.parametrize("turns", [0.0, 0.1, 0.25, 0.4])
def test_a_sine_goes_on_between_its_samples(turns: float) -> None:
    samples = np.cos(2 * np.pi * turns * np.arange(TAPS) + 0.3)
    between = HALO - 1 + np.arange(1, OVERSAMPLING) / OVERSAMPLING
    wanted = np.cos(2 * np.pi * turns * between + 0.3)
    np.testing.assert_allclose(interpolation_filters() @ samples, wanted, atol=0.003)


def test_the_filters_mirror_one_another() -> None:
    """The native engine takes half of the products for that."""
    quarter, half, three_quarters = interpolation_filters()
    np.testing.assert_allclose(quarter, three_quarters[::-1], atol=1e-15)
    np.testing.assert_allclose(half, half[::-1], atol=1e-15)
