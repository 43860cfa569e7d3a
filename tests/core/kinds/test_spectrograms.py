"""Spectrograms on the grid of a Fourier transform: their options, their grid, what their arrays become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from array_options import array_options

from tonearm.errors import OptionError
from tonearm.kinds.spectrograms import ComplexKind, GridOptions
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, StftGrid

STFT: dict[str, Any] = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256}


def test_the_grid_has_the_defaults_of_most_models() -> None:
    grid = GridOptions(**STFT).grid()
    assert (grid.win_length, grid.window, grid.padding, grid.pad_mode) == (1024, "hann", "center", "constant")
    assert GridOptions(**STFT, center=False).grid().padding == "none"
    assert GridOptions(**STFT, center=True).grid().padding == "center"


@pytest.mark.parametrize("name", ["sample_rate", "n_fft", "hop_length"])
def test_a_grid_without_its_figures_says_which(name: str) -> None:
    with pytest.raises(OptionError, match=f"'{name}' is missing") as caught:
        GridOptions(**{key: value for key, value in STFT.items() if key != name}).grid()
    assert (caught.value.option, caught.value.code) == (name, "missing-option")


@pytest.mark.parametrize("kind", ["complex", "magnitude", "power", "db"])
def test_what_is_known_beforehand(kind: str) -> None:
    bound = array_options(kind=kind, **STFT, length=9000).kind
    known = bound.spec()
    assert known.signals == ((ComplexSpectrogram,) if kind == "complex" else (MagnitudeSpectrogram,))
    assert (known.sample_rate, known.length, bound.sizes()) == (22050, 9000, {"bin": 513})
    assert known.carried[StftGrid] == GridOptions(**STFT).grid()


def test_complex_values_stay_what_they_are() -> None:
    values = np.array([[[1 + 1j], [2j], [3]]], "c8")
    found = ComplexKind(GridOptions(sample_rate=8000, n_fft=4, hop_length=1, length=7)).read(values, Context())
    assert np.shares_memory(found.values, values)
    assert found.length == 7
