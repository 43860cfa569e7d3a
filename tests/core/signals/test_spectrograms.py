"""Spectrograms check their values against their grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.errors import SignalError
from tonearm.signals import (
    ComplexSpectrogram,
    MagnitudeSpectrogram,
    StftGrid,
)

GRID: dict[str, Any] = {"sample_rate": 22050, "n_fft": 16, "hop_length": 4, "win_length": 16}


def grid(**changes: Any) -> StftGrid:
    return StftGrid(**GRID | changes)


@pytest.mark.parametrize(("made", "dtype"), [(ComplexSpectrogram, "c8"), (MagnitudeSpectrogram, "f4")])
def test_a_spectrogram_checks_its_values(made: Any, dtype: str) -> None:
    good = made(values=np.zeros((2, 9, 5), dtype), grid=grid(), length=17)
    assert (good.channels, good.frames, good.sample_rate, good.samples_expected) == (2, 5, 22050, 17)
    assert made(values=good.values, grid=grid()).samples_expected == grid().samples(5)
    with pytest.raises(SignalError, match=f"the {made.port} has 8 bins, but n_fft 16 has 9") as caught:
        made(values=np.zeros((2, 8, 5), dtype), grid=grid())
    assert caught.value.code == "bins-mismatch"
    with pytest.raises(SignalError, match=rf"a {made.port} is \(channels, bins, frames\), not an array of shape"):
        made(values=np.zeros((9, 5), dtype), grid=grid())
    other = "f4" if dtype == "c8" else "c8"
    with pytest.raises(SignalError, match=f"a {made.port} holds"):
        made(values=np.zeros((2, 9, 5), other), grid=grid())
    for length in (0, -1, 2.0, True):
        with pytest.raises(SignalError, match=f"length is {length!r}, not a number of samples of at least 1"):
            made(values=good.values, grid=grid(), length=length)
