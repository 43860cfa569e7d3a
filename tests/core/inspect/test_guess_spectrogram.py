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
        (librosa.stft(WAVE, n_fft=1021, hop_length=256), "complex", "[bin, frame]", 1021),
        (np.stack([STFT] * 4), "complex", "[?, bin, frame]", 1024),
        (np.stack([np.stack([STFT] * 2)] * 3), "complex", "[batch, channel, bin, frame]", 1024),
        (np.moveaxis(PAIRS, 0, -1), "complex", "[bin, frame, complex]", 1024),
        (PAIRS, "complex", "[complex, bin, frame]", 1024),
        (np.stack([PAIRS] * 3), "complex", "[?, complex, bin, frame]", 1024),
        (np.moveaxis(np.stack([PAIRS, PAIRS / 2]), 1, -1), "complex", "[?, bin, frame, complex]", 1024),
        (STFT.real, "?", "[bin, frame]", 1024),  # one part alone
        (np.concatenate([STFT.real, STFT.imag], axis=1), "?", "[bin, frame]", 1024),
        (np.angle(STFT), "?", "[bin, frame]", 1024),
        ((DB - DB.mean()) / DB.std(), "?", "[bin, frame]", 1024),  # standardised
        (DB - DB.mean(), "db", "[bin, frame]", 1024),
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


@pytest.mark.parametrize(
    ("array", "end_bins", "sure"),
    [
        (STFT[:-1], "dc", True),
        (STFT[:-1].T, "dc", True),
        (STFT[1:], "nyquist", True),
        (STFT[1:-1], "none", False),
        (STFT[:-1] * 1j, "dc", False),
        (np.stack([STFT[:-1]] * 2), "dc", True),
    ],
)
def test_missing_end_bins_show_by_the_ends_that_are_real(array: Any, end_bins: str, sure: bool) -> None:
    found = guessed(array)
    assert (found.options["n_fft"], found.options["end_bins"]) == (1024, end_bins)
    assert confidence(found, "end_bins") == ("likely" if sure else "possible")


def test_squares_go_by_smoothness_and_are_not_sure() -> None:
    square = np.abs(librosa.stft(np.tile(WAVE, 4), n_fft=512, hop_length=256))[:, :257]
    for array, axes in ((square, "[bin, frame]"), (square.T, "[frame, bin]")):
        found = guessed(array)
        assert (found.value("axes"), confidence(found, "axes")) == (axes, "possible")


def folded(first: Any, second: Any, *, pairs: bool = False) -> Any:
    """Return two parts in one axis."""
    both = np.stack([first, second])
    return (np.moveaxis(both, 0, 1) if pairs else both).reshape(-1, first.shape[1]).astype("f4")


MAGNITUDES, PHASES = np.abs(STFT), np.angle(STFT)
SIDES = np.concatenate([STFT, STFT[-2:0:-1].conj()])


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (SIDES, {"kind": "complex", "axes": ["bin", "frame"], "sides": "two"}),
        (np.fft.fftshift(SIDES, axes=0), {"kind": "complex", "axes": ["bin", "frame"], "sides": "centered"}),
        (np.roll(SIDES, 511, axis=0).T, {"kind": "complex", "sides": "centered-nyquist-last"}),
        (
            np.stack([SIDES.real, SIDES.imag], axis=-1),
            {"kind": "complex", "axes": ["bin", "frame", "complex"], "sides": "two"},
        ),
        (np.abs(SIDES), {"kind": "?", "axes": ["bin", "frame"], "sides": "two"}),
        (20 * np.log10(np.abs(SIDES) + 1e-5), {"kind": "db", "sides": "two"}),
        (folded(STFT.real, STFT.imag), {"kind": "complex", "axes": ["(complex bin)", "frame"]}),
        (folded(STFT.real, STFT.imag).T, {"kind": "complex", "axes": ["frame", "(complex bin)"]}),
        (folded(STFT.real, STFT.imag, pairs=True), {"kind": "complex", "axes": ["(bin complex)", "frame"]}),
        (folded(STFT.real, STFT.imag)[None], {"kind": "complex", "axes": ["(complex bin)", "frame"]}),
        (folded(MAGNITUDES, PHASES), {"kind": "magnitude", "axes": ["(polar bin)", "frame"]}),
        (folded(MAGNITUDES, PHASES, pairs=True).T, {"kind": "magnitude", "axes": ["frame", "(bin polar)"]}),
        (folded(DB, PHASES), {"kind": "db", "axes": ["(polar bin)", "frame"]}),
        (np.stack([MAGNITUDES, PHASES]), {"kind": "magnitude", "axes": ["polar", "bin", "frame"]}),
        (np.stack([MAGNITUDES, PHASES], axis=-1), {"kind": "magnitude", "axes": ["bin", "frame", "polar"]}),
        (
            np.stack([np.log(MAGNITUDES + 1e-4), PHASES]),
            {"kind": "magnitude", "axes": ["polar", "bin", "frame"], "recipe": {"log": "ln"}},
        ),
    ],
)
def test_a_layout_shows_in_the_values(array: Any, options: dict[str, Any]) -> None:
    found = guessed(array)
    assert {"n_fft": 1024, **found.options} == found.options | options | {"n_fft": 1024}


@pytest.mark.parametrize(
    ("array", "recipe"),
    [
        (np.log(np.maximum(MAGNITUDES, 1e-3)), {"log": "ln", "floor": 1e-3}),
        (np.log10(np.maximum(MAGNITUDES, 1e-2 / 10)), {"log": "log10", "floor": 1e-3}),
        (np.log2(np.maximum(MAGNITUDES, 1e-3)), {"log": "log2", "floor": 1e-3}),
        (np.log(np.maximum(MAGNITUDES**2 * 1e3, 1e-3)), {"log": "ln", "floor": 1e-3, "exponent": 2}),
        (np.clip((20 * np.log10(MAGNITUDES + 1e-9) - 20) * 0.08 + 4, -4, 4), "coqui"),
    ],
)
def test_a_logarithm_shows_by_its_floor(array: Any, recipe: Any) -> None:
    for values in (array, array.astype("f4").T):
        found = guessed(values)
        assert (found.options["kind"], found.options["recipe"], found.options["n_fft"]) == ("magnitude", recipe, 1024)
        assert confidence(found, "recipe") == "likely"


def test_the_values_of_tacotron_show_by_their_limits_and_level() -> None:
    magnitudes = np.abs(librosa.stft(librosa.effects.preemphasis(WAVE), n_fft=2048, hop_length=250, win_length=1000))
    values = np.clip((20 * np.log10(np.maximum(magnitudes, 1e-5)) - 20 + 100) / 100, 0, 1)
    values[:200, :3] = 0
    assert guessed(values.T).options["recipe"] == "tacotron-keithito"
    assert "recipe" not in guessed(np.minimum(magnitudes / magnitudes.max(), 1)).options


def test_a_logarithm_without_a_floor_stays_open() -> None:
    found = guessed(np.log(MAGNITUDES + 1e-3))
    assert (found.options["kind"], found.options["recipe"]) == ("magnitude", "?")
    assert found.choices["recipe"] == ["{log: ln}", "{log: log10, floor: 1e-07}", "{log: log2}"]


def test_an_array_without_a_telling_length_is_unknown() -> None:
    found = guessed(RNG.uniform(0, 1, (77, 55)))
    assert (found.value("kind"), confidence(found)) == ("?", "unknown")
    assert found.options == {"kind": "?", "sample_rate": "?", "n_fft": "?", "hop_length": "?"}


def test_the_axis_of_bins_is_the_smoothest_of_those_with_a_telling_length() -> None:
    square = np.abs(librosa.stft(np.tile(WAVE, 4), n_fft=512, hop_length=256))[:, :257]
    assert (bin_axis(notes_of(square)), bin_axis(notes_of(square.T))) == (0, 1)
    assert bin_axis(notes_of(square[:, :200].T)) == 1
    assert bin_axis(notes_of(square[:250, :200])) is None


@pytest.mark.parametrize(("low", "high", "rather"), [(0, 5, True), (-80, 0, True), (-30, 0, False)])
def test_values_that_no_other_logarithm_gives_resemble_magnitudes(low: float, high: float, rather: bool) -> None:
    notes = notes_of(np.linspace(low, high, 80 * 513).reshape(80, 513))
    assert resembles_magnitudes(notes) is rather


def test_a_span_that_log2_of_powers_may_have_is_said() -> None:
    found = guessed(np.log2(np.maximum(MAGNITUDES**2, 2.0**-37.5)))
    assert (found.value("kind"), confidence(found)) == ("db", "possible")
    reason = next(one.reason for one in found.findings if one.what == "kind")
    assert reason.endswith("or log2 of powers: kind magnitude with recipe {log: log2, floor: 1e-12, exponent: 2}")
    assert confidence(guessed(20 * np.log10(np.maximum(MAGNITUDES, 1e-3 * MAGNITUDES.max())))) == "likely"
