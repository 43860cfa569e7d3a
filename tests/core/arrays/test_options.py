"""What the options of arrays say, and which of them do not fit one another."""

from __future__ import annotations

from typing import Any

import pytest

from tonearm.arrays import ArrayOptions
from tonearm.errors import OptionError
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Waveform

STFT: dict[str, Any] = {"kind": "complex", "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}


def problems(**given: Any) -> list[str]:
    return [f"{error.option}: {error.message}" for error in ArrayOptions(**given).problems()]


@pytest.mark.parametrize(
    "given",
    [
        {"sample_rate": 22050},
        {"sample_rate": 22050, "kind": "waveform", "axes": ["batch", "time", "channel"], "full_scale": 32768.0},
        STFT,
        STFT | {"kind": "db", "axes": ["frame", "bin"], "center": False},
        STFT | {"win_length": 800, "window": "povey", "padding": "half-overlap", "length": 4000},
    ],
)
def test_what_fits_has_no_problems(given: dict[str, Any]) -> None:
    assert problems(**given) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["sample_rate: 'sample_rate' is missing"]),
        (
            {"kind": "waveform", "sample_rate": 1, "n_fft": 4},
            ["n_fft: 'n_fft' describes spectrograms, but kind is waveform"],
        ),
        (
            {"kind": "magnitude", "sample_rate": 22050},
            ["n_fft: 'n_fft' is missing", "hop_length: 'hop_length' is missing"],
        ),
        (STFT | {"full_scale": 1.0}, ["full_scale: 'full_scale' describes waveforms, but kind is complex"]),
        (
            STFT | {"center": True, "padding": "none"},
            ["center: center and padding are the same option"],
        ),
        (STFT | {"win_length": 2048}, ["win_length: win_length 2048 is greater than n_fft 1024"]),
        (STFT | {"axes": ["bin", "bin", "frame"]}, ["axes: axes names bin twice"]),
        (
            STFT | {"axes": ["bin", "time"]},
            ["axes: a complex array has no time axis", "axes: axes names no frame axis, which a complex array has"],
        ),
        (
            {"kind": "waveform", "sample_rate": 1, "axes": ["batch"]},
            ["axes: axes names no time axis, which a waveform array has"],
        ),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], expected: list[str]) -> None:
    assert problems(**given) == expected


def test_the_grid_has_the_defaults_of_most_models() -> None:
    grid = ArrayOptions(**STFT).grid()
    assert (grid.win_length, grid.window, grid.padding, grid.pad_mode) == (1024, "hann", "center", "constant")
    assert ArrayOptions(**STFT, center=False).grid().padding == "none"
    assert ArrayOptions(**STFT, center=True).grid().padding == "center"


@pytest.mark.parametrize("name", ["sample_rate", "n_fft", "hop_length"])
def test_a_grid_without_its_figures_says_which(name: str) -> None:
    with pytest.raises(OptionError, match=f"'{name}' is missing") as caught:
        ArrayOptions(**{key: value for key, value in STFT.items() if key != name}).grid()
    assert (caught.value.option, caught.value.code) == (name, "missing-option")


def test_the_signals_that_may_come() -> None:
    assert ArrayOptions(sample_rate=1).signals() == (Waveform, ComplexSpectrogram)
    assert ArrayOptions(**STFT).signals() == (ComplexSpectrogram,)
    assert ArrayOptions(**STFT | {"kind": "db"}).signals() == (MagnitudeSpectrogram,)
