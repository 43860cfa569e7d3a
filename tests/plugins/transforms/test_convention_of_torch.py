"""Spectrograms of torch become sound again, and ours are written as torch's are."""

import inspect

import numpy as np
import pytest
from stft_libraries import RATE, sound

from tonearm.api import ComplexSpectrogram, Context, Waveform
from tonearm.signals.conventions import convention_fields, grid_from_options
from tonearm_plugins.transforms.istft import Istft, IstftOptions
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions

torch = pytest.importorskip("torch")

CASES = {
    "plain": ({}, {}),
    "normalized": ({"normalized": True}, {"scaling": "orthonormal"}),
    "two-sided": ({"onesided": False}, {"sides": "two"}),
    "zeros": ({"pad_mode": "constant"}, {"pad_mode": "constant"}),
    "not-centered": ({"center": False}, {"padding": "none"}),
}
"""Options of ``torch.stft``, and the fields of a grid for them."""


@pytest.mark.parametrize("sizes", [(256, 64, 256), (512, 100, 256), (301, 75, 300), (256, 60, 201)])
@pytest.mark.parametrize("case", CASES)
def test_torch_and_back(case: str, sizes: tuple[int, int, int]) -> None:
    n_fft, hop, win = sizes
    options, fields = CASES[case]
    samples = sound(2401)
    values = torch.stft(
        torch.tensor(samples),
        n_fft,
        hop,
        win,
        torch.hann_window(win, dtype=torch.float64),
        return_complex=True,
        **options,
    ).numpy()
    made = {"n_fft": n_fft, "hop_length": hop, "win_length": win, **fields}
    grid = grid_from_options({"sample_rate": RATE, **made}, convention="torch")
    assert values.shape == (grid.bins, grid.frames(samples.size))
    signal = ComplexSpectrogram(values=values[None].astype(np.complex64), grid=grid, length=samples.size)
    found = Istft(IstftOptions()).apply(signal, Context()).samples[0]
    inside = slice(0 if grid.pad else n_fft, samples.size - n_fft)
    np.testing.assert_allclose(found[inside], samples[inside], atol=2e-6)

    wave = Waveform(samples=samples[None].astype(np.float32), sample_rate=RATE)
    written = WaveToSpectrogram(WaveToSpectrogramOptions(convention="torch", **made)).apply(wave, Context())
    np.testing.assert_allclose(written.values[0], values, atol=2e-6 * np.abs(values).max())


def test_the_fields_are_the_defaults_of_torch() -> None:
    found = {name: value.default for name, value in inspect.signature(torch.stft).parameters.items()}
    assert (found["center"], found["pad_mode"], found["normalized"]) == (True, "reflect", False)
    assert convention_fields("torch") == {"pad_mode": "reflect"}
