"""pitch-shift: librosa's own result, the length, and the pitch of a tone."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from effect_helpers import pitch, tone
from transform_helpers import apply, problems, speech

from tonearm_plugins.transforms.pitch_shift import PitchShift


def test_it_is_librosas_at_its_own_rate() -> None:
    samples = speech()
    with np.errstate(invalid="ignore"):  # librosa 1.0 casts memory that nobody has written yet
        expected = librosa.effects.pitch_shift(samples, sr=22050, n_steps=4)
    np.testing.assert_array_equal(apply(PitchShift, samples, 22050, semitones=4.0)[0], expected)


@pytest.mark.parametrize("length", [1, 2, 31, 500, 2047, 2048, 4001])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_length_stays(channels: int, length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((channels, length)).astype("f4")
    assert apply(PitchShift, samples, 22050, semitones=-3.0)[0].shape == (channels, length)


@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("semitones", [-12.0, 3.5, 12.0])
def test_a_tone_gets_its_new_pitch(semitones: float, rate: int) -> None:
    shifted, _ = apply(PitchShift, tone(440, rate, 2 * rate), rate, semitones=semitones)
    assert pitch(shifted, rate) == pytest.approx(440 * 2 ** (semitones / 12), rel=2e-3)


def test_silence_stays_silence() -> None:
    assert not apply(PitchShift, np.zeros((2, 3000), "f4"), 22050, semitones=-3.0)[0].any()


def test_the_interval_is_required() -> None:
    assert "missing-option: pitch-shift: 'semitones' is missing" in problems({"use": "pitch-shift"})
