"""Logarithms show by their floor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from real_arrays import STFT, notes_of

from tonearm.inspect.guess_logarithm import find_logarithm, logarithm

MAGNITUDES = np.abs(STFT)


@pytest.mark.parametrize(
    ("log", "low", "figures"),
    [
        ("ln", -9.0, {"log": "ln"}),
        ("ln", -11.5, {"log": "ln"}),
        ("ln", -12.0, {"log": "ln", "floor": 1e-6}),
        ("log10", -7.5, {"log": "log10", "floor": 1e-8}),
        ("log2", -16.6, {"log": "log2"}),
    ],
)
def test_the_floor_is_not_above_the_lowest_value(log: str, low: float, figures: dict[str, Any]) -> None:
    assert logarithm(log, low) == figures


def test_no_floor_is_no_logarithm() -> None:
    assert find_logarithm(notes_of(np.log(MAGNITUDES + 1e-3)), 1024) is None
    assert find_logarithm(notes_of(np.full((513, 9), -5.0)), 1024) is None


def test_a_floor_names_its_logarithm() -> None:
    found = find_logarithm(notes_of(np.log(np.maximum(MAGNITUDES, 1e-3))), 1024)
    assert found is not None
    assert found.recipe == {"log": "ln", "floor": 1e-3}
    assert "the ln of 1e-3: its floor" in found.reason
