"""time-stretch, pitch-shift and hpss: librosa's own results, exact lengths, and what they do to tones and clicks."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
from finishing import applied, problems, speech

from tonearm.api import ItemError
from tonearm_plugins.dsp.effects import n_fft_for
from tonearm_plugins.transforms.hpss import Hpss
from tonearm_plugins.transforms.pitch_shift import PitchShift
from tonearm_plugins.transforms.time_stretch import TimeStretch

EFFECTS: list[tuple[type[Any], dict[str, Any]]] = [
    (TimeStretch, {"rate": 1.5}),
    (PitchShift, {"semitones": -3.0}),
    (Hpss, {"keep": "harmonic"}),
]


def tone(hertz: float, rate: int, length: int) -> Any:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(length) / rate)[None]


def pitch(samples: Any, rate: int) -> float:
    """Return the frequency of the highest peak of the spectrum, between its bins."""
    middle = samples[0, len(samples[0]) // 4 : -len(samples[0]) // 4]
    size = np.log(np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) + 1e-30)
    k = int(size.argmax())
    before, here, after = size[k - 1 : k + 2]
    return (k + 0.5 * (before - after) / (before - 2 * here + after)) * rate / len(middle)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_they_are_librosas_at_its_own_rate(kind: str) -> None:
    samples = speech().astype(kind)
    harmonic, percussive = librosa.effects.hpss(samples)
    with np.errstate(invalid="ignore"):  # librosa 1.0 casts memory that nobody has written yet
        stretched = librosa.effects.time_stretch(samples, rate=1.25)
        shifted = librosa.effects.pitch_shift(samples, sr=22050, n_steps=4)
    for plugin, options, wanted in (
        (TimeStretch, {"rate": 1.25}, stretched),
        (PitchShift, {"semitones": 4.0}, shifted),
        (Hpss, {"keep": "harmonic"}, harmonic),
        (Hpss, {"keep": "percussive"}, percussive),
        (Hpss, {"keep": "harmonic", "margin": 3.0}, librosa.effects.hpss(samples, margin=3.0)[0]),
    ):
        found, _ = applied(plugin, samples, 22050, **options)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("length", [1, 2, 31, 500, 2047, 2048, 4001])
@pytest.mark.parametrize("channels", [1, 2])
def test_lengths_are_exact_however_short(channels: int, length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((channels, length)).astype("f4")
    for rate in (0.3, 0.99, 1.7, 10.0):
        found, _ = applied(TimeStretch, samples, 22050, rate=rate)
        assert found.shape == (channels, max(round(length / rate), 1))
    for plugin, options in EFFECTS[1:]:
        assert applied(plugin, samples, 22050, **options)[0].shape == (channels, length)


@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_tone_keeps_its_pitch_or_gets_another(rate: int) -> None:
    samples = tone(440, rate, 2 * rate)
    stretched, _ = applied(TimeStretch, samples, rate, rate=0.7)
    assert pitch(stretched, rate) == pytest.approx(440, rel=2e-3)
    for semitones in (-12.0, 3.5, 12.0):
        shifted, _ = applied(PitchShift, samples, rate, semitones=semitones)
        assert pitch(shifted, rate) == pytest.approx(440 * 2 ** (semitones / 12), rel=2e-3)


def test_tones_and_clicks_are_told_apart() -> None:
    samples = tone(440, 22050, 44100)
    clicks = np.zeros_like(samples)
    clicks[:, 2000::5000] = 1
    harmonic, _ = applied(Hpss, samples + clicks, 22050, keep="harmonic")
    percussive, _ = applied(Hpss, samples + clicks, 22050, keep="percussive")
    middle = slice(4000, -4000)
    assert np.corrcoef(harmonic[0, middle], samples[0, middle])[0, 1] > 0.99
    assert np.corrcoef(percussive[0, middle], clicks[0, middle])[0, 1] > 0.9
    np.testing.assert_allclose(harmonic + percussive, samples + clicks, atol=1e-4)


def test_an_analysis_lasts_as_long_at_every_rate() -> None:
    assert [n_fft_for(rate) for rate in (100, 8000, 16000, 22050, 24000, 44100, 48000, 192000)] == [
        32, 1024, 2048, 2048, 2048, 4096, 4096, 16384,
    ]  # fmt: skip


@pytest.mark.parametrize(("plugin", "options"), EFFECTS)
def test_silence_stays_silence(plugin: type[Any], options: dict[str, Any]) -> None:
    assert not applied(plugin, np.zeros((2, 3000), "f4"), 22050, **options)[0].any()


@pytest.mark.parametrize(("plugin", "options"), EFFECTS)
def test_what_is_not_finite_is_refused(plugin: type[Any], options: dict[str, Any]) -> None:
    with pytest.raises(ItemError, match="it has NaN or infinite values") as caught:
        applied(plugin, np.array([[0, np.nan]], "f4"), 22050, **options)
    assert (caught.value.code, caught.value.hint) == ("not-finite", "nan: zero in the decoder puts 0 there")


def test_options_are_wanted_and_bounded() -> None:
    for use, option in (("time-stretch", "rate"), ("pitch-shift", "semitones"), ("hpss", "keep")):
        assert f"missing-option: {use}: '{option}' is missing" in problems({"use": use})
    assert "time-stretch: 'rate' is 0" in problems({"use": "time-stretch", "with": {"rate": 0}})
