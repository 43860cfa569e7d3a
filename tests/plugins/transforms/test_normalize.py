"""normalize: peak and RMS levels, silence, and values that are not finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from transform_helpers import apply

from tonearm_plugins.transforms.normalize import Normalize


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


def db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


def rms(samples: Any) -> float:
    return math.sqrt(np.mean(np.square(samples, dtype="f8")))


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_the_peak_over_all_channels(channels: int, kind: str) -> None:
    samples = noise(channels, 5000, kind=kind)
    found, context = apply(Normalize, samples, peak_db=-6.0)
    assert db(np.abs(found).max()) == pytest.approx(-6, abs=1e-5)
    gain = context.measurements["gain_db"]
    np.testing.assert_allclose(found, samples * 10 ** (gain / 20), rtol=2e-3)
    assert db(np.abs(apply(Normalize, samples)[0]).max()) == pytest.approx(-1, abs=1e-5)


def test_the_rms() -> None:
    samples = noise(2, 300_000)
    found, context = apply(Normalize, samples, rms_db=-30.0)
    assert db(rms(found)) == pytest.approx(-30, abs=1e-4)
    assert not context.warnings


def test_a_full_scale_sine_has_an_rms_of_minus_3() -> None:
    sine = np.sin(2 * np.pi * np.arange(48000) / 48)[None]
    found, _ = apply(Normalize, 0.01 * sine, rms_db=-3.0103)
    np.testing.assert_allclose(found, sine, atol=1e-6)


def test_a_peak_over_the_ceiling_lowers_the_gain_with_a_warning() -> None:
    samples = noise(1, 48000)
    found, context = apply(Normalize, samples, rms_db=-6.0, peak_db=-1.0)
    assert db(np.abs(found).max()) == pytest.approx(-1, abs=1e-5)
    (warning,) = context.warnings
    assert warning.startswith("at an RMS of -6 dBFS it would peak at ")
    assert " dBFS, so the gain is " in warning
    assert not apply(Normalize, samples, rms_db=-30.0, peak_db=-1.0)[1].warnings


@pytest.mark.parametrize("options", [{}, {"rms_db": -20.0}])
def test_silence_and_very_quiet_waveforms(options: dict[str, float]) -> None:
    np.testing.assert_array_equal(apply(Normalize, np.zeros((2, 7), "f4"), **options)[0], 0)
    for kind, least in (("f4", 1e-45), ("f4", 1e-30), ("f8", 1e-200), ("f8", 1e-320)):
        samples = np.full((1, 9), least, kind)
        found, _ = apply(Normalize, samples)
        assert float(found.max()) == (pytest.approx(10 ** (-1 / 20)) if least > 1e-300 else least)
        assert np.isfinite(apply(Normalize, samples, **options)[0]).all()


@pytest.mark.parametrize("options", [{}, {"rms_db": -20.0}])
def test_nan_and_infinity_stay_and_have_no_level(options: dict[str, float]) -> None:
    samples = noise(2, 300_000)
    samples[0, 7], samples[1, 200_000] = np.nan, -np.inf
    clean = np.where(np.isfinite(samples), samples, 0)
    found = apply(Normalize, samples, **options)[0]
    wanted = apply(Normalize, clean, **options)[0]
    np.testing.assert_array_equal(np.where(np.isfinite(found), found, 0), wanted)
    assert np.isnan(found[0, 7])
