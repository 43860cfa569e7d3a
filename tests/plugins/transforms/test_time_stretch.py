"""time-stretch: librosa's own result, exact lengths, and the pitch of a tone."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from effect_helpers import pitch, tone
from transform_helpers import apply, problems, speech

from tonearm_plugins.transforms.time_stretch import TimeStretch


def test_it_is_librosas_at_its_own_rate() -> None:
    samples = speech()
    with np.errstate(invalid="ignore"):  # librosa 1.0 casts memory that nobody has written yet
        expected = librosa.effects.time_stretch(samples, rate=1.25)
    np.testing.assert_array_equal(apply(TimeStretch, samples, 22050, rate=1.25)[0], expected)


@pytest.mark.parametrize("length", [1, 2, 500, 2048, 4001])
@pytest.mark.parametrize("rate", [0.3, 0.99, 1.7, 10.0])
def test_lengths_are_exact_and_known_beforehand(rate: float, length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((2, length)).astype("f4")
    assert apply(TimeStretch, samples, 22050, rate=rate)[0].shape == (2, max(round(length / rate), 1))


@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_tone_keeps_its_pitch(rate: int) -> None:
    stretched, _ = apply(TimeStretch, tone(440, rate, 2 * rate), rate, rate=0.7)
    assert pitch(stretched, rate) == pytest.approx(440, rel=2e-3)


def test_silence_stays_silence() -> None:
    assert not apply(TimeStretch, np.zeros((2, 3000), "f4"), 22050, rate=1.5)[0].any()


def test_the_rate_is_required_and_bounded() -> None:
    assert "missing-option: time-stretch: 'rate' is missing" in problems({"use": "time-stretch"})
    assert "time-stretch: 'rate' is 0" in problems({"use": "time-stretch", "with": {"rate": 0}})
