"""Spectra from the outputs of networks, in each form, and the inverse STFT behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import assert_close, grid_of, network

import trial_graphs
from tonearm.api import Context, ItemError, SetOption, StftGrid
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.networks.planning import Wanted
from tonearm_plugins.networks.spectrum import check_bins, complex_columns, inversion
from trial_graphs import BINS, latents_of, run

LATENTS = Wanted(kind="latent", bands=12, sample_rate=24000, samples_per_frame=128)

FORMS: dict[str, Any] = {
    "complex_axis_vocoder": lambda spec: spec[:, 0] + 1j * spec[:, 1],
    "complex_last_vocoder": lambda spec: spec[..., 0] + 1j * spec[..., 1],
    "real_imag_vocoder": lambda real, imag: real + 1j * imag,
    "magnitude_phase_vocoder": lambda mag, phase: mag * np.exp(1j * phase),
    "log_magnitude_phase_vocoder": lambda logmag, phase: np.exp(logmag + 1j * phase),
}


def test_parts_in_half_precision_are_put_together_in_single() -> None:
    parts: Any = {"log_magnitude": np.full((1, 2, 1), 12, "f2"), "phase": np.ones((1, 2, 1), "f2")}
    found = complex_columns("log-magnitude-phase", parts)
    np.testing.assert_allclose(found, np.exp(12 + 1j), rtol=1e-6)
    assert found.dtype == np.complex64


@pytest.mark.parametrize("name", FORMS)
def test_every_form_becomes_a_complex_spectrum(tmp_path: Path, name: str) -> None:
    path, values = getattr(trial_graphs, name)(tmp_path / "s.onnx"), latents_of(40)[None]
    expected = FORMS[name](**run(path, {"z": values}))
    found, _ = network(path, LATENTS, n_fft=512, hop_length=128).columns(values)
    assert found.dtype == np.complex64
    assert found.shape == (1, BINS, 40)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_two_halves_of_one_axis(tmp_path: Path) -> None:
    def end(graph: Any, rows: str) -> None:
        graph.take(rows, "stft", ("batch", 2 * BINS, "frames"))

    path, values = trial_graphs._spectral(tmp_path / "s.onnx", 10, end), latents_of(40)[None]
    expected = run(path, {"z": values})["stft"]
    found, _ = network(path, LATENTS, n_fft=512, hop_length=128).columns(values)
    np.testing.assert_array_equal(found, expected[:, :BINS] + 1j * expected[:, BINS:])
    figures = {"n_fft": 512, "hop_length": 128, "outputs": {"stft": "log_polar"}}
    found, _ = network(path, LATENTS, **figures).columns(values)
    np.testing.assert_allclose(found, np.exp(expected[:, :BINS] + 1j * expected[:, BINS:]), rtol=1e-5)


def test_x_and_y_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    parts: dict[Any, Any] = {name: rng.standard_normal((2, 5, 3)).astype("f4") for name in ("magnitude", "x", "y")}
    found = complex_columns("magnitude-x-y", parts)
    np.testing.assert_allclose(found, parts["magnitude"] * (parts["x"] + 1j * parts["y"]), rtol=1e-6)


@pytest.mark.parametrize("length", [None, 3000])
@pytest.mark.parametrize("padding", ["center", "half-overlap"])
def test_the_inverse_has_the_grid_of_the_network(padding: str, length: int | None) -> None:
    grid, rng = grid_of(padding), np.random.default_rng(0)
    spectrum = (rng.standard_normal((2, 513, 20)) + 1j * rng.standard_normal((2, 513, 20))).astype("c8")
    samples = grid.samples(20) if length is None else length
    whole = istft(spectrum, window=grid.window_values(), hop_length=256, pad=grid.pad, length=samples)
    assert_close(inversion(grid, length, Context()).push_last(spectrum), whole)
    stream = inversion(grid, length, Context())
    parts = [stream.push(spectrum[..., :7]), stream.push(spectrum[..., 7:]), stream.finish()]
    assert_close(np.concatenate([part for part in parts if part is not None], axis=1), whole)


def test_other_bins_are_refused() -> None:
    check_bins(np.zeros((1, 513, 2), "c8"), grid_of())
    with pytest.raises(ItemError, match="the model gives 257 bins, but n_fft 1024 has 513") as caught:
        check_bins(np.zeros((1, 257, 2), "c8"), grid_of())
    (remedy,) = caught.value.remedies
    assert isinstance(remedy, SetOption)
    n_fft = remedy.value
    grid = StftGrid(sample_rate=24000, n_fft=n_fft, hop_length=128, win_length=n_fft, padding="center")
    check_bins(np.zeros((1, 257, 2), "c8"), grid)
