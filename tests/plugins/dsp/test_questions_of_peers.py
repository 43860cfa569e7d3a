"""What the tests of librosa, torch, torchaudio and scipy ask of the functions that they and tonearm have in common.

The questions are theirs, the parameters and the code our own.
"""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal

from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.mel.filter_bank import hz_to_mel, mel_filter_bank, mel_to_hz
from tonearm.signals.windows import is_invertible, window_values
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.levels import amplitude_to_db, db_to_amplitude
from tonearm_plugins.dsp.mu_law import mu_law_decode
from tonearm_plugins.dsp.preemphasis import deemphasis
from tonearm_plugins.dsp.resampling import resample, resampled_length
from tonearm_plugins.dsp.stft import stft

RNG = np.random.default_rng(2026)
NOISE = RNG.standard_normal((2, 5003)) * 0.1
WINDOWS = ("hann", "hamming", "blackman", "blackmanharris", "nuttall", "boxcar")


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("length", [1, 2, 7, 64, 401])
def test_windows_are_scipys(name: str, length: int) -> None:
    np.testing.assert_allclose(window_values(name, length, length), scipy.signal.get_window(name, length), atol=1e-15)
    symmetric = f"{name}_symmetric" if name != "boxcar" else name
    expected = scipy.signal.get_window(name, length, fftbins=False)
    np.testing.assert_allclose(window_values(symmetric, length, length), expected, atol=1e-15)


@pytest.mark.parametrize("hop", [1, 16, 33, 63, 64, 65, 100])
@pytest.mark.parametrize("name", WINDOWS)
def test_the_condition_of_inversion_is_scipys(name: str, hop: int) -> None:
    expected = hop <= 64 and scipy.signal.check_NOLA(scipy.signal.get_window(name, 64), 64, 64 - hop)
    assert is_invertible(name, 64, 64, hop) == expected


@pytest.mark.parametrize(("name", "hop"), [("hann", 64), ("hamming", 32), ("blackman", 16), ("boxcar", 128)])
def test_a_window_that_overlaps_to_a_constant_adds_up_without_weights(name: str, hop: int) -> None:
    assert scipy.signal.check_COLA(scipy.signal.get_window(name, 128), 128, 128 - hop)
    window = np.array(window_values(name, 128, 128))
    sums = sum(window[start : start + hop] for start in range(0, 128, hop))
    assert np.ptp(sums) < 1e-12


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (128, 128 // 3), (255, 51), (512, 256)])
@pytest.mark.parametrize("name", ["hann", "hamming", "blackman"])
def test_istft_undoes_stft_up_to_the_ends(name: str, n_fft: int, hop: int, pad_mode: Any) -> None:
    settings: dict[str, Any] = {"window": window_values(name, n_fft, n_fft), "hop_length": hop, "pad": n_fft // 2}
    spectrum = stft(NOISE, pad_mode=pad_mode, double=True, **settings)
    found = istft(spectrum, length=NOISE.shape[1], **settings)
    whole = hop * (spectrum.shape[2] - 1)
    np.testing.assert_allclose(found[:, :whole], NOISE[:, :whole], atol=1e-12)


def test_the_spectrum_of_a_constant_is_the_sum_of_the_window() -> None:
    window = np.array(window_values("hann", 64, 64))
    spectrum = stft(np.full((1, 640), 0.5), window=window, hop_length=16, double=True)[0]
    np.testing.assert_allclose(spectrum[0], 0.5 * window.sum())
    np.testing.assert_allclose(np.abs(spectrum[2:]), 0, atol=1e-12)


@pytest.mark.parametrize("bin_", [3, 10, 31])
def test_a_sine_at_a_bin_has_its_phase_at_the_first_sample(bin_: int) -> None:
    phase = 0.7
    wave = np.cos(2 * np.pi * bin_ * np.arange(64) / 64 + phase)[None]
    spectrum = stft(wave, window=np.ones(64), hop_length=64, double=True)[0, :, 0]
    assert np.argmax(np.abs(spectrum)) == bin_
    assert np.angle(spectrum[bin_]) == pytest.approx(phase)
    assert abs(spectrum[bin_]) == pytest.approx(32)


def test_energy_in_time_is_energy_in_frequency() -> None:
    spectrum = stft(NOISE, window=np.ones(64), hop_length=64, double=True)
    weights = np.r_[1, np.full(31, 2), 1][:, None]
    used = NOISE[:, : 64 * spectrum.shape[2]]
    np.testing.assert_allclose((np.abs(spectrum) ** 2 * weights).sum() / 64, (used**2).sum())


def test_stft_is_linear_and_each_channel_is_alone() -> None:
    settings: dict[str, Any] = {"window": window_values("hann", 128, 128), "hop_length": 32, "double": True}
    one, two = (stft(NOISE[index : index + 1], **settings) for index in (0, 1))
    np.testing.assert_allclose(stft(3 * NOISE[:1] - 2 * NOISE[1:], **settings), 3 * one - 2 * two, atol=1e-12)
    np.testing.assert_allclose(stft(NOISE, **settings), np.concatenate([one, two]), atol=1e-14)


@pytest.mark.parametrize("length", [1000, 1111, 4999, 5003, 6000])
def test_a_length_cuts_or_fills_with_silence(length: int) -> None:
    settings: dict[str, Any] = {"window": window_values("hann", 128, 128), "hop_length": 32, "pad": 64}
    found = istft(stft(NOISE, **settings), length=length, **settings)
    assert found.shape == (2, length)
    assert not found[:, 5003 + 64 :].any()


@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_griffin_lim_of_a_spectrogram_of_its_own_keeps_the_magnitudes(momentum: float) -> None:
    time = np.arange(8000) / 8000
    wave = (0.4 * np.sin(2 * np.pi * 440 * time) + 0.2 * np.sin(2 * np.pi * 1200 * time))[None]
    settings: dict[str, Any] = {"window": window_values("hann", 512, 512), "hop_length": 128, "pad": 256}
    magnitudes = np.abs(stft(wave, **settings))
    found = griffin_lim(magnitudes, iterations=30, momentum=momentum, length=8000, **settings)
    again = np.abs(stft(found.samples, **settings))
    assert np.linalg.norm(again - magnitudes) < 0.05 * np.linalg.norm(magnitudes)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("hz", [0.0, 1.0, 440.0, 999.9, 1000.0, 1000.1, 8000.0, 22050.0])
def test_mel_scales_are_librosas_and_undo_themselves(scale: Any, hz: float) -> None:
    mel = hz_to_mel(hz, scale)
    assert mel == pytest.approx(float(librosa.hz_to_mel(hz, htk=scale == "htk")), abs=1e-9)
    assert mel_to_hz(mel, scale) == pytest.approx(hz, abs=1e-8)


@pytest.mark.parametrize("norm", ["slaney", "none"])
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "mels", "low", "high"),
    [(16000, 512, 40, 0, 8000), (22050, 1024, 80, 20, 7600), (44100, 2048, 128, 60, 20000)],
)
def test_filter_banks_are_librosas(
    norm: Any, scale: Any, rate: int, n_fft: int, mels: int, low: float, high: float
) -> None:
    found = mel_filter_bank(
        sample_rate=rate, n_fft=n_fft, n_mels=mels, fmin=low, fmax=high, scale=scale, norm=norm, triangles="hz"
    )
    expected = librosa.filters.mel(
        sr=rate,
        n_fft=n_fft,
        n_mels=mels,
        fmin=low,
        fmax=high,
        htk=scale == "htk",
        norm=None if norm == "none" else norm,
        dtype=np.float64,
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found >= 0).all()


@pytest.mark.parametrize("ref", [1.0, 0.25, 3.0])
@pytest.mark.parametrize("amin", [1e-5, 1e-3])
def test_decibels_are_librosas_and_undo_themselves(ref: float, amin: float) -> None:
    values = np.abs(RNG.standard_normal((1, 9, 20))) + amin
    recipe = LinearRecipe(log="log10", log_factor=20.0, reference=ref, floor=amin)
    native = recipe.to_native(values)
    np.testing.assert_allclose(native, librosa.amplitude_to_db(values, ref=ref, amin=amin, top_db=None), atol=1e-9)
    np.testing.assert_allclose(recipe.to_linear(native), librosa.db_to_amplitude(native, ref=ref), rtol=1e-9)
    power = LinearRecipe(log="log10", log_factor=10.0, exponent=2, reference=ref, floor=amin)
    expected = librosa.power_to_db(values**2, ref=ref, amin=amin, top_db=None)
    np.testing.assert_allclose(power.to_native(values), expected, atol=1e-9)


@pytest.mark.parametrize("db", [-90.0, -6.0, 0.0, 12.0])
def test_levels_in_decibels_undo_themselves(db: float) -> None:
    assert amplitude_to_db(db_to_amplitude(db)) == pytest.approx(db)
    assert db_to_amplitude(db) == pytest.approx(float(librosa.db_to_amplitude(db)))


@pytest.mark.parametrize("classes", [16, 256, 1024])
def test_mu_law_is_librosas(classes: int) -> None:
    wave = np.linspace(-1, 1, 4001)
    numbers = librosa.mu_compress(wave, mu=classes - 1, quantize=True) + classes // 2
    found = mu_law_decode(numbers.astype(np.int64)[None], classes)[0]
    widest = 2 * np.log(classes) * classes / (classes - 1) ** 2  # step of the curve, at full scale
    assert np.abs(found - wave).max() < widest
    quiet = np.abs(wave) < 1 / classes
    assert np.abs(found - wave)[quiet].max() < widest / np.sqrt(classes)


@pytest.mark.parametrize("coefficient", [0.5, 0.85, 0.97])
def test_deemphasis_undoes_librosas_preemphasis(coefficient: float) -> None:
    emphasised = np.stack([np.r_[row[0], row[1:] - coefficient * row[:-1]] for row in NOISE])
    np.testing.assert_allclose(deemphasis(emphasised, coefficient), NOISE, atol=1e-9)


@pytest.mark.parametrize(("old", "new"), [(8000, 16000), (16000, 8000), (22050, 16000), (44100, 48000), (16000, 16000)])
def test_resampling_keeps_the_length_and_a_tone(old: int, new: int) -> None:
    time = np.arange(old) / old
    tone = np.sin(2 * np.pi * 440 * time)[None].astype(np.float32)
    found = resample(tone, old, new)
    assert found.shape == (1, resampled_length(old, old, new)) == (1, new)
    expected = np.sin(2 * np.pi * 440 * np.arange(new) / new)
    inside = slice(new // 10, -new // 10)
    np.testing.assert_allclose(found[0, inside], expected[inside], atol=1e-3)


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    tone = np.sin(2 * np.pi * 7000 * np.arange(16000) / 16000)[None].astype(np.float32)
    assert np.abs(resample(tone, 16000, 8000)[0, 800:-800]).max() < 1e-3
