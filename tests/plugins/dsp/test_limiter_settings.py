"""What follows from the settings of a limiter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tonearm_plugins.dsp.interpolation import TAPS
from tonearm_plugins.dsp.limiter_settings import MAX_REDUCTION_DB, LimiterSettings


@pytest.mark.parametrize("ceiling", [0.1, 0.25, 0.3, 10 ** (-1 / 20)])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_highest_number_is_the_last_under_the_ceiling(ceiling: float, kind: str) -> None:
    highest = LimiterSettings(ceiling, 1, 1, true_peak=False).highest(np.dtype(kind))
    assert float(highest) <= ceiling < float(np.nextafter(highest, highest.dtype.type(1)))


@pytest.mark.parametrize("lookahead", [1, 2, 31, 240, 19_200, 100_000])
def test_sums_of_the_largest_reductions_fit_into_64_bits(lookahead: int) -> None:
    settings = LimiterSettings(0.5, lookahead, 1, true_peak=False)
    assert sum(settings.widths) == lookahead + 1
    largest = math.ceil(MAX_REDUCTION_DB / settings.unit)
    assert largest * math.prod(settings.widths) < 2**63
    assert settings.unit < 1e-3


def test_true_peaks_need_a_look_ahead_and_a_margin() -> None:
    plain, true = (LimiterSettings(0.5, 5, 1, true_peak=true_peak) for true_peak in (False, True))
    assert (plain.size, true.size) == (5, TAPS)
    assert plain.margin_db == 0 < true.margin_db


def test_a_release_of_nothing_is_over_at_once() -> None:
    assert math.exp(-LimiterSettings(0.5, 1, 0, true_peak=False).decay) < 1e-20
    assert LimiterSettings(0.5, 1, 200, true_peak=False).decay == 1 / 200
