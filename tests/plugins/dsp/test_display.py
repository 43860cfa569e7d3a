"""What a display of a sound shows: levels of frames as scipy has them, every peak of a waveform, and no gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm_plugins.dsp import display

RATE = 16000


def noise(length: int) -> Any:
    return (np.random.default_rng(length).standard_normal(length) * 0.1).astype("f4")


def sine(hertz: float, level: float) -> Any:
    return (level * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype("f4")


@pytest.mark.parametrize("level_db", [0, -20, -60])
def test_a_sine_has_its_level(level_db: float) -> None:
    """Between bins, a Hann window loses 1.42 dB of it at most."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    for hertz, loss in ((1000, 0.0), (1007.8125, 1.43)):
        (block,) = display.stft_powers(sine(hertz, 10 ** (level_db / 20)), window, 256)
        found = display.decibels(block)[:, 20:40].max(axis=0)
        assert (np.abs(found - level_db) <= loss + 0.01).all()


def test_frames_are_those_of_scipy_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.signal import ShortTimeFFT

    samples = noise(9000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    monkeypatch.setattr(display, "BLOCK_FRAMES", 7)
    found = np.concatenate(list(display.stft_powers(samples, window, 64)), axis=1)
    theirs = ShortTimeFFT(window, 64, 1.0, mfft=256, phase_shift=0).stft(samples.astype("f8"), p0=0, p1=found.shape[1])
    np.testing.assert_allclose(found, np.abs(theirs) ** 2 / (window.sum() / 2) ** 2, rtol=2e-3, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 5, 99, 100, 101, 1000])
def test_pooling_is_the_mean_of_neighbours(frames: int) -> None:
    powers = np.random.default_rng(1).random((3, frames))
    blocks = [powers[:, start : start + 17] for start in range(0, frames, 17)]
    found = display.pooled(iter(blocks), frames, 100)
    groups = np.array_split(np.arange(frames), min(frames, 100))
    if frames <= 100 or frames % 100 == 0:
        np.testing.assert_allclose(found, np.stack([powers[:, group].mean(axis=1) for group in groups], axis=1))
    assert found.mean() == pytest.approx(powers.mean(), rel=0.02)


@pytest.mark.parametrize("length", [1, 2, 50, 1023, 1024, 5000, 100_001])
def test_an_envelope_has_every_peak_and_no_gap(length: int) -> None:
    samples = noise(length)
    low, high, rms = display.envelope(samples, 512)
    assert high.max() == pytest.approx(samples.max())
    assert low.min() == pytest.approx(samples.min())
    assert (low <= high).all()
    assert (low[1:] <= high[:-1]).all()
    assert (high[1:] >= low[:-1]).all()
    assert (rms <= np.maximum(-low, high) + 1e-9).all()


@pytest.mark.parametrize(("exponent", "values"), [(1, [3j, -4, 0]), (2, [9, 16, 0])])
def test_powers_of_values(exponent: int, values: list[complex]) -> None:
    (found,) = display.value_powers(np.array([values]), 2.0**exponent, exponent)
    np.testing.assert_allclose(found, [[9 / 4, 4, 0]])


def test_a_band_gives_most_to_a_sine_in_its_middle() -> None:
    """Independent of ours: sines swept through a band, by NumPy's FFT."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    basis = np.zeros((2, 129))
    basis[0, 40:45] = [0.2, 0.6, 1.0, 0.6, 0.2]
    basis[1, 80:120] = 0.5
    for exponent in (1, 2):
        sweep = np.exp(2j * np.pi * np.arange(30, 125)[:, None] / 256 * np.arange(256))
        spectra = np.abs(np.fft.fft(sweep * window, axis=1)[:, :129]) / window.sum()
        wanted = (spectra**exponent @ basis.T).max(axis=0)
        np.testing.assert_allclose(display.band_response(basis, window, exponent), wanted, rtol=1e-6)


def test_a_wide_row_has_the_mean_power_of_its_bins_and_a_narrow_one_is_interpolated() -> None:
    powers = np.array([[1.0], [0.01], [1.0], [4.0], [1.0]])
    frequencies = np.arange(5) * 100.0
    (wide,) = display.row_levels(powers, frequencies, np.array([200.0, 400.0]))
    assert wide == pytest.approx(10 * np.log10(2.5))  # of the bins at 200 and 300 Hz
    narrow = display.row_levels(powers, frequencies, np.array([0.0, 50.0, 100.0]))
    np.testing.assert_allclose(narrow[:, 0], [-5, -15])


@pytest.mark.parametrize("scale", ["linear", "mel", "log"])
def test_a_scale_rises_and_comes_back(scale: Any) -> None:
    frequencies = np.geomspace(20, 24_000, 50)
    places = display.to_scale(frequencies, scale)
    assert (np.diff(places) > 0).all()
    np.testing.assert_allclose(display.from_scale(places, scale), frequencies)


def test_the_mel_scale_is_that_of_librosa(librosa: Any) -> None:
    frequencies = [0.0, 440, 1000, 8000]
    wanted = librosa.hz_to_mel(frequencies, htk=True)
    np.testing.assert_allclose(display.to_scale(frequencies, "mel") / np.log(10) * 2595, wanted)


@pytest.mark.parametrize(
    ("length", "n_fft", "hop"), [(66_150, 1024, 33), (100, 1024, 32), (10_000_000, 1024, 256), (100, 16, 1)]
)
def test_hops_overlap_and_give_two_frames_a_column(length: int, n_fft: int, hop: int) -> None:
    assert display.hop_for(length, n_fft, 1000) == hop


@pytest.mark.parametrize(
    ("value", "rounded"), [(0, 1), (0.2, 0.2), (0.21, 0.5), (0.6, 1), (1.01, 2), (5.1, 10), (float("nan"), 1)]
)
def test_limits_are_round_numbers(value: float, rounded: float) -> None:
    assert display.round_up(value) == pytest.approx(rounded)
