"""Spectrograms on the grid of a Fourier transform: their options, their grid, what their arrays become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.errors import ChooseOption, OptionError, SetOption
from tonearm.kinds.spectrograms import ComplexKind, SpectrogramOptions
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, StftGrid

PHASES = "as these are magnitudes and phases"

STFT: dict[str, Any] = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256}


def test_the_grid_has_the_defaults_of_most_models() -> None:
    grid = SpectrogramOptions(**STFT).grid()
    assert (grid.win_length, grid.window, grid.padding, grid.pad_mode) == (1024, "hann", "center", "constant")
    assert SpectrogramOptions(**STFT, center=False).grid().padding == "none"
    assert SpectrogramOptions(**STFT, center=True).grid().padding == "center"


def test_a_convention_says_how_values_are_laid_out(tmp_path: Path) -> None:
    options = SpectrogramOptions(**STFT, convention="matlab", scaling="psd")
    grid = options.grid()
    assert (grid.padding, grid.window_position, grid.sides, grid.scaling) == (
        "none",
        "start",
        "centered-nyquist-last",
        "psd",
    )
    assert ComplexKind(options).sizes() == {"bin": 1024}
    assert SpectrogramOptions(**STFT, convention="torch").grid().pad_mode == "reflect"
    assert SpectrogramOptions(**STFT, convention="tensorflow", center=True).grid().padding == "center"
    np.save(tmp_path / "w.npy", np.hamming(800))
    windowed = SpectrogramOptions(**STFT, window=str(tmp_path / "w.npy"))
    assert windowed.grid().win_length == 800


@pytest.mark.parametrize(
    ("given", "size", "advised"),
    [({}, 257, 512), ({"sides": "two"}, 512, 512), ({"end_bins": "dc"}, 256, 512), ({"end_bins": "none"}, 255, 512)],
)
def test_the_n_fft_that_fits_is_advised(given: dict[str, Any], size: int, advised: int) -> None:
    kind = ComplexKind(SpectrogramOptions(**STFT, **given))
    (remedy,) = kind.size_error("no", np.ones((size, 3)), size, Context()).remedies
    assert isinstance(remedy, SetOption)
    assert (remedy.option, remedy.value) == ("n_fft", advised)
    assert SpectrogramOptions(**STFT | {"n_fft": advised}, **given).grid().bins == size


@pytest.mark.parametrize(
    ("made", "remedy"),
    [
        (lambda x: x[:-1], SetOption("end_bins", "dc", "as 512 is n_fft / 2, and the dc bin is real")),
        (lambda x: x[1:], SetOption("end_bins", "nyquist", "as 512 is n_fft / 2, and the nyquist bin is real")),
        (lambda x: x[1:-1], SetOption("end_bins", "none", "if the bins at both ends are missing")),
        (
            lambda x: np.abs(x[1:]),
            ChooseOption("end_bins", ("dc", "nyquist"), "if the bin at one end is missing"),
        ),
        (
            lambda x: np.concatenate([x, x[-2:0:-1].conj()]),
            SetOption("sides", "two", "as 1024 is n_fft: both sides"),
        ),
        (lambda x: np.concatenate([x.real, x.imag]), SetOption("axes", ["(complex bin)", "frame"])),
        (lambda x: np.concatenate([x.real, x.imag]).T, SetOption("axes", ["frame", "(complex bin)"])),
        (
            lambda x: np.concatenate([np.abs(x), np.angle(x)]),
            SetOption("kind", "magnitude", PHASES, also={"axes": ["(polar bin)", "frame"]}),
        ),
        (
            lambda x: np.stack([np.abs(x), np.angle(x)], 1).reshape(1026, -1).T,
            SetOption("kind", "magnitude", PHASES, also={"axes": ["frame", "(bin polar)"]}),
        ),
    ],
)
def test_the_layout_that_fits_is_advised(made: Any, remedy: Any) -> None:
    values = np.fft.rfft(np.random.default_rng(1).standard_normal((40, 1024)), axis=1).T
    array = made(values)
    size = max(array.shape)
    assert ComplexKind(SpectrogramOptions(**STFT)).size_error("no", array, size, Context()).remedies == (remedy,)


def test_one_side_where_two_are_expected_is_known() -> None:
    kind = ComplexKind(SpectrogramOptions(**STFT, convention="matlab"))
    assert kind.size_error("no", np.ones((513, 3)), 513, Context()).remedies == (SetOption("sides", "one"),)


@pytest.mark.parametrize("name", ["sample_rate", "n_fft", "hop_length"])
def test_a_grid_without_its_figures_says_which(name: str) -> None:
    with pytest.raises(OptionError, match=f"'{name}' is missing") as caught:
        SpectrogramOptions(**{key: value for key, value in STFT.items() if key != name}).grid()
    assert (caught.value.option, caught.value.code) == (name, "missing-option")


@pytest.mark.parametrize("kind", ["complex", "magnitude", "power", "db"])
def test_what_is_known_beforehand(kind: str) -> None:
    bound = array_options(kind=kind, **STFT, length=9000).kind
    known = bound.spec()
    assert known.signals == ((ComplexSpectrogram,) if kind == "complex" else (MagnitudeSpectrogram,))
    assert (known.sample_rate, known.length, bound.sizes()) == (22050, 9000, {"bin": 513})
    assert known.carried[StftGrid] == SpectrogramOptions(**STFT).grid()


def test_complex_values_stay_what_they_are() -> None:
    values = np.array([[[1 + 1j], [2j], [3]]], "c8")
    found = ComplexKind(SpectrogramOptions(sample_rate=8000, n_fft=4, hop_length=1, length=7)).read(values, Context())
    assert np.shares_memory(found.values, values)
    assert found.length == 7
