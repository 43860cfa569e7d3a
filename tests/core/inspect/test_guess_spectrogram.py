"""Guesses for linear spectrograms: bins, real and imaginary parts, levels."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
from real_arrays import DB, STFT, WAVE, certain, confidence, guessed, notes_of

from tonearm.inspect import compute_statistics
from tonearm.inspect.guess_spectrogram import bin_axis, resembles_magnitudes

RNG = np.random.default_rng(9)
PAIRS = np.stack([STFT.real, STFT.imag])


@pytest.mark.parametrize(
    ("array", "kind", "axes", "n_fft"),
    [
        (STFT, "complex", "[bin, frame]", 1024),
        (STFT.T.astype(">c8"), "complex", "[frame, bin]", 1024),
        (STFT[:, :129], "complex", "[bin, frame]", 1024),  # 129 are bins of a usual n_fft, too
        (librosa.stft(WAVE, n_fft=1022, hop_length=200), "complex", "[bin, frame]", 1022),  # not usual, but it shows
        (librosa.stft(WAVE, n_fft=1023, hop_length=256), "complex", "[bin, frame]", 1023),
        (np.stack([STFT] * 4), "complex", "[?, bin, frame]", 1024),
        (np.stack([np.stack([STFT] * 2)] * 3), "complex", "[batch, channel, bin, frame]", 1024),
        (np.moveaxis(PAIRS, 0, -1), "complex", "[bin, frame, complex]", 1024),
        (PAIRS, "complex", "[complex, bin, frame]", 1024),
        (np.stack([PAIRS] * 3), "complex", "[?, complex, bin, frame]", 1024),
        (np.abs(STFT), "magnitude or power", "[bin, frame]", 1024),
        (np.abs(STFT).T ** 2, "magnitude or power", "[frame, bin]", 1024),
        (np.stack([np.abs(STFT)] * 2), "magnitude or power", "[?, bin, frame]", 1024),
        (np.abs(STFT)[:, :80], "magnitude or power", "[bin, frame]", 1024),  # 80 frames are no mels
        (DB.T, "db", "[frame, bin]", 1024),
        (DB[:, :80], "db", "[bin, frame]", 1024),
        (np.stack([DB] * 2), "db", "[?, bin, frame]", 1024),  # of two channels, not parts
    ],
)
def test_spectrograms_by_their_bins(array: Any, kind: str, axes: str, n_fft: int) -> None:
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.options["n_fft"]) == (kind, axes, n_fft)
    assert found.options["hop_length"] == "?"
    assert set(certain(found)) == {"values"}


@pytest.mark.parametrize(
    "array", [np.exp(1j * np.arange(50_000)), STFT[:, 50], np.exp(1j * np.arange(100_000)).reshape(2, -1)]
)
def test_complex_values_that_are_no_spectrogram(array: Any) -> None:
    """Analytic signals are complex, too."""
    found = guessed(array)
    assert confidence(found) in ("possible", "unknown")
    assert certain(found)["values"] in (
        "complex",
        f"{compute_statistics(array).low:.6g} to {compute_statistics(array).high:.6g}",
    )


def test_a_highest_bin_that_was_left_out_shows_as_a_doubt() -> None:
    found = guessed(STFT[:-1])
    assert (found.value("axes"), confidence(found, "n_fft")) == ("[bin, frame]", "possible")
    assert "the highest was left out" in next(one.reason for one in found.findings if one.what == "n_fft")


def test_squares_go_by_smoothness_and_are_not_sure() -> None:
    square = np.abs(librosa.stft(np.tile(WAVE, 4), n_fft=512, hop_length=256))[:, :257]
    for array, axes in ((square, "[bin, frame]"), (square.T, "[frame, bin]")):
        found = guessed(array)
        assert (found.value("axes"), confidence(found, "axes")) == (axes, "possible")


def test_an_array_without_a_telling_length_is_unknown() -> None:
    found = guessed(RNG.uniform(0, 1, (77, 55)))
    assert (found.value("kind"), confidence(found)) == ("?", "unknown")
    assert found.options == {"kind": "?", "sample_rate": "?", "n_fft": "?", "hop_length": "?"}
    found = guessed(RNG.integers(0, 1024, (8, 500)))
    assert "tokens" in next(one.reason for one in found.findings if one.what == "kind")


def test_the_axis_of_bins_is_the_smoothest_of_those_with_a_telling_length() -> None:
    square = np.abs(librosa.stft(np.tile(WAVE, 4), n_fft=512, hop_length=256))[:, :257]
    assert (bin_axis(notes_of(square)), bin_axis(notes_of(square.T))) == (0, 1)
    assert bin_axis(notes_of(square[:, :200].T)) == 1
    assert bin_axis(notes_of(square[:250, :200])) is None


@pytest.mark.parametrize(("low", "high", "rather"), [(0, 5, True), (-80, 0, True), (-30, 0, False)])
def test_values_that_no_other_logarithm_gives_resemble_magnitudes(low: float, high: float, rather: bool) -> None:
    notes = notes_of(np.linspace(low, high, 80 * 513).reshape(80, 513))
    assert resembles_magnitudes(notes) is rather
