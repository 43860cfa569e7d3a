"""Named recipes of linear spectrograms, each against its original formula, written anew in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import pytest

from tonearm.api import LinearRecipe
from tonearm.plugins.registry import default
from tonearm_plugins import recipes

CATALOGUE = default().catalogue(LinearRecipe)
Array = np.ndarray[Any, np.dtype[np.float64]]


def emphasised(samples: Array) -> Array:
    return np.concatenate([samples[:1], samples[1:] - 0.97 * samples[:-1]])


def decibels(magnitude: Array, floor: float = 1e-5) -> Array:
    return 20 * np.log10(np.maximum(floor, magnitude))


def keithito(samples: Array) -> Array:
    """util/audio.py: num_freq 1025, 50 ms and 12.5 ms at 20 kHz, min_level_db -100, ref_level_db 20."""
    spectrum = librosa.stft(emphasised(samples), n_fft=2048, hop_length=250, win_length=1000, pad_mode="reflect")
    return np.clip((decibels(np.abs(spectrum)) - 20 + 100) / 100, 0, 1)


def rayhane(samples: Array) -> Array:
    """datasets/audio.py: magnitude_power 2, max_abs_value 4, symmetric and clipped."""
    spectrum = librosa.stft(emphasised(samples), n_fft=2048, hop_length=275, win_length=1100, pad_mode="constant")
    level = decibels(np.abs(spectrum) ** 2, np.exp(-100 / 20 * np.log(10))) - 20
    return np.clip(8 * ((level + 100) / 100) - 4, -4, 4)


def dc_tts(samples: Array) -> Array:
    """utils.py: ref_db 20, max_db 100, clipped from 1e-8."""
    spectrum = librosa.stft(emphasised(samples), n_fft=2048, hop_length=275, win_length=1102, pad_mode="reflect")
    return np.clip((decibels(np.abs(spectrum)) - 20 + 100) / 100, 1e-8, 1)


def coqui(samples: Array) -> Array:
    """processor.py: spec_gain 20, amin 1e-8, max_norm 4, symmetric and clipped."""
    spectrum = librosa.stft(samples, n_fft=1024, hop_length=256, win_length=1024, pad_mode="reflect")
    return np.clip(8 * ((decibels(np.abs(spectrum), 1e-8) - 20 + 100) / 100) - 4, -4, 4)


def vits(samples: Array) -> Array:
    """mel_processing.py: padding of (n_fft - hop) / 2 by reflection, and 1e-6 under the square root."""
    padded = np.pad(samples, 384, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    spectrum = np.fft.rfft(frames * librosa.filters.get_window("hann", 1024), axis=1).T
    return np.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-6)


FAMILIES: dict[str, Callable[[Array], Array]] = {
    "tacotron-keithito": keithito,
    "tacotron2-rayhane": rayhane,
    "dc-tts": dc_tts,
    "coqui": coqui,
    "vits": vits,
}

SCALES: dict[str, Callable[[Array], Array]] = {
    "power": np.square,
    "db": lambda x: 20 * np.log10(x),
    "log1p": np.log1p,
    "librosa-amplitude-to-db": librosa.amplitude_to_db,
    "librosa-power-to-db": lambda x: librosa.power_to_db(x**2),
    "librosa-amplitude-to-db-max": lambda x: librosa.amplitude_to_db(x, ref=np.max),
    "torchaudio-amplitude-to-db": lambda x: 10 * np.log10(np.maximum(x**2, 1e-10)),
}


def tone(rate: int) -> Array:
    """Return a quiet chord with noise, whose bins reach from below most floors to below all ceilings."""
    time = np.arange(rate) / rate
    noise = np.random.default_rng(4).standard_normal(rate) * 1e-4
    return 0.02 * np.sin(2 * np.pi * 440 * time) + 0.01 * np.sin(2 * np.pi * 3000 * time) + noise


def test_every_recipe_is_compared() -> None:
    names = {name for name in recipes.linear_recipes() if not CATALOGUE.entry(name).alias}
    assert names == set(FAMILIES) | set(SCALES)


def test_aliases_lead_to_recipes() -> None:
    r9y9, keithitos = CATALOGUE.find("tacotron-r9y9"), CATALOGUE.find("tacotron-keithito")
    assert r9y9.differences(keithitos) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_writes_what_its_recipe_says(name: str) -> None:
    """Values go through the recipe and back to within float32's error of a logarithm: 1e-5 of each magnitude."""
    recipe = CATALOGUE.find(name)
    assert recipe.grid is not None
    assert recipe.sample_rate is not None
    assert recipe.source
    samples = tone(recipe.sample_rate)
    native = FAMILIES[name](samples)[None]
    assert native.shape[1:] == (recipe.grid.bins, recipe.grid.frames(len(samples)))
    given = emphasised(samples) if recipe.preemphasis else samples
    padded = np.pad(given, recipe.grid.pad, mode=recipe.grid.pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(padded, recipe.grid.n_fft)[:: recipe.grid.hop_length]
    magnitude = np.abs(np.fft.rfft(frames * recipe.grid.window_values(), axis=1)).T[None]
    plain = magnitude / recipe.preemphasis_response(recipe.grid.n_fft)[:, None]
    np.testing.assert_allclose(recipe.to_native(plain), native, rtol=1e-6, atol=1e-6)
    back = recipe.to_linear(native)
    np.testing.assert_allclose(recipe.to_native(back), native, rtol=1e-9, atol=1e-9)
    single = recipe.to_linear(native.astype(np.float32))
    assert single.dtype == np.float32
    inside = back > back.max() * 1e-4
    np.testing.assert_allclose(single[inside], back[inside], rtol=2e-5)
    assert recipe.contradiction(float(native.min()), float(native.max())) == ""


@pytest.mark.parametrize("name", ["tacotron-keithito", "tacotron2-rayhane", "dc-tts"])
def test_preemphasis_is_undone(name: str) -> None:
    """Magnitudes of the tone are those of the samples before pre-emphasis, to 1 % in the middle of the signal.

    Bins are not at the frequencies of the tones, so the factor of a bin is not quite that of its tone.
    """
    recipe = CATALOGUE.find(name)
    assert recipe.grid is not None
    assert recipe.sample_rate is not None
    samples = tone(recipe.sample_rate)
    grid = recipe.grid
    spectrum = librosa.stft(samples, n_fft=grid.n_fft, hop_length=grid.hop_length, win_length=grid.win_length)
    plain, found = np.abs(spectrum), recipe.to_linear(FAMILIES[name](samples)[None])[0]
    for hertz in (440, 3000):
        row = round(hertz * grid.n_fft / grid.sample_rate)
        np.testing.assert_allclose(found[row, 20:-20], plain[row, 20:-20], rtol=1e-2)


@pytest.mark.parametrize("name", SCALES)
def test_a_scale_is_that_of_the_library(name: str) -> None:
    recipe = CATALOGUE.find(name)
    assert recipe.grid is None
    magnitude = np.geomspace(1e-3, 1.0, 6 * 50).reshape(1, 6, 50)
    native = np.asarray(SCALES[name](magnitude))
    np.testing.assert_allclose(recipe.to_native(magnitude), native, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(recipe.to_linear(native), magnitude, rtol=1e-9)
    assert recipe.range.low <= native.min()
