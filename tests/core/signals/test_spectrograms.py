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


def test_a_plain_spectrogram_is_its_own_plain_one() -> None:
    made = ComplexSpectrogram(values=np.zeros((1, 9, 5), "c8"), grid=grid())
    assert made.plain() is made


@pytest.mark.parametrize(("made", "dtype"), [(ComplexSpectrogram, "c8"), (MagnitudeSpectrogram, "f4")])
def test_plain_values_come_with_their_grid(made: Any, dtype: str) -> None:
    other = made(values=np.ones((2, 16, 5), dtype), grid=grid(sides="two", scaling="orthonormal"), length=17)
    found = other.plain()
    assert type(found) is made
    assert (found.grid, found.length, found.values.shape, found.values.dtype) == (grid(), 17, (2, 9, 5), dtype)
    np.testing.assert_allclose(found.values, 4)


def test_a_warning_of_plain_values_reaches_the_caller() -> None:
    values = np.ones((1, 16, 5), "f4")
    values[:, 3] = 1.1
    warnings: list[str] = []
    MagnitudeSpectrogram(values=values, grid=grid(sides="two")).plain(warnings.append)
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sides": "two"}, "the magnitude has 10 bins, but n_fft 16 with sides 'two' has 16"),
        ({"end_bins": "none"}, "the magnitude has 10 bins, but n_fft 16 and end_bins 'none' has 7"),
    ],
)
def test_bins_are_counted_by_the_convention(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SignalError, match=message):
        MagnitudeSpectrogram(values=np.ones((1, 10, 5), "f4"), grid=grid(**changes))
