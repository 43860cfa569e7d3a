"""What the options of arrays say, and which of them do not fit one another."""

from __future__ import annotations

from typing import Any

import pytest

from array_options import array_options
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Waveform

STFT: dict[str, Any] = {"kind": "complex", "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}


def problems(**given: Any) -> list[str]:
    return [f"{error.option}: {error.message}" for error in array_options(**given).problems()]


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
            {"kind": "magnitude", "sample_rate": 22050},
            ["n_fft: 'n_fft' is missing", "hop_length: 'hop_length' is missing"],
        ),
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


def test_the_signals_that_may_come() -> None:
    assert array_options(sample_rate=1).spec().signals == (Waveform, ComplexSpectrogram)
    assert array_options(**STFT).spec().signals == (ComplexSpectrogram,)
    assert array_options(**STFT | {"kind": "db"}).spec().signals == (MagnitudeSpectrogram,)


def test_the_precision_is_known_beforehand() -> None:
    assert array_options(sample_rate=1).spec().precision == "single"
    assert array_options(**STFT, precision="double").spec().precision == "double"


def test_options_of_the_kind_are_asked_for_by_name() -> None:
    assert array_options(sample_rate=8000).of_kind("sample_rate") == 8000
    assert array_options(**STFT).of_kind("full_scale") is None
