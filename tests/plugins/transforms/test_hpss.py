"""hpss: librosa's own result, the length, and a tone told from clicks."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from effect_helpers import tone
from transform_helpers import apply, problems, speech

from tonearm_plugins.transforms.hpss import Hpss


def test_it_is_librosas_at_its_own_rate() -> None:
    samples = speech()
    harmonic, percussive = librosa.effects.hpss(samples, margin=3.0)
    np.testing.assert_array_equal(apply(Hpss, samples, 22050, keep="harmonic", margin=3.0)[0], harmonic)
    np.testing.assert_array_equal(apply(Hpss, samples, 22050, keep="percussive", margin=3.0)[0], percussive)


@pytest.mark.parametrize("length", [1, 2, 31, 500, 2047, 2048, 4001])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_length_stays(channels: int, length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((channels, length)).astype("f4")
    assert apply(Hpss, samples, 22050, keep="harmonic")[0].shape == (channels, length)


def test_tones_and_clicks_are_told_apart() -> None:
    samples = tone(440, 22050, 44100)
    clicks = np.zeros_like(samples)
    clicks[:, 2000::5000] = 1
    harmonic, _ = apply(Hpss, samples + clicks, 22050, keep="harmonic")
    percussive, _ = apply(Hpss, samples + clicks, 22050, keep="percussive")
    middle = slice(4000, -4000)
    assert np.corrcoef(harmonic[0, middle], samples[0, middle])[0, 1] > 0.99
    assert np.corrcoef(percussive[0, middle], clicks[0, middle])[0, 1] > 0.9
    np.testing.assert_allclose(harmonic + percussive, samples + clicks, atol=1e-4)


def test_silence_stays_silence() -> None:
    assert not apply(Hpss, np.zeros((2, 3000), "f4"), 22050, keep="harmonic")[0].any()


def test_the_part_to_keep_is_required() -> None:
    assert "missing-option: hpss: 'keep' is missing" in problems({"use": "hpss"})
