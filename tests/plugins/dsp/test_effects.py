"""Effects: librosa's own results on long sounds, and exact lengths of short ones."""

from __future__ import annotations

import numpy as np
import pytest
from dsp_material import speech

from tonearm_plugins.dsp import effects
from tonearm_plugins.dsp.effects import default_n_fft, hpss, pitch_shift, stretched_length, time_stretch

librosa = pytest.importorskip("librosa")


def test_an_analysis_lasts_as_long_at_every_rate() -> None:
    assert [default_n_fft(rate) for rate in (100, 8000, 16000, 22050, 24000, 44100, 48000, 192000)] == [
        32, 1024, 2048, 2048, 2048, 4096, 4096, 16384,
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "quality"), [("f4", "soxr_hq"), ("f8", "soxr_vhq")])
def test_they_are_librosas_with_its_own_analysis(kind: str, quality: str) -> None:
    samples = speech()[None].astype(kind)
    harmonic, percussive = librosa.effects.hpss(samples, margin=2.0)
    with np.errstate(invalid="ignore"):  # librosa 1.0 casts memory that nobody has written yet
        stretched = librosa.effects.time_stretch(samples, rate=1.25)
        shifted = librosa.effects.pitch_shift(samples, sr=22050, n_steps=4, res_type=quality)
    np.testing.assert_array_equal(time_stretch(samples, 1.25, n_fft=2048), stretched)
    np.testing.assert_array_equal(pitch_shift(samples, 22050, 4, n_fft=2048), shifted)
    np.testing.assert_array_equal(hpss(samples, percussive=False, margin=2.0, n_fft=2048), harmonic)
    np.testing.assert_array_equal(hpss(samples, percussive=True, margin=2.0, n_fft=2048), percussive)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("frames", [pytest.param(1, marks=pytest.mark.slow), 16, 100])
def test_parts_are_told_apart_in_blocks_as_in_one(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    samples = np.stack([speech(), speech()[::-1]]).astype("f4")
    monkeypatch.setattr(effects, "HPSS_FRAMES", frames)
    for percussive, expected in enumerate(librosa.effects.hpss(samples, margin=2.0, n_fft=512)):
        found = hpss(samples, percussive=bool(percussive), margin=2.0, n_fft=512)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("length", [1, 31, 2047, 2048, 4001])
def test_lengths_are_exact_however_short(length: int) -> None:
    samples = np.random.default_rng(length).standard_normal((2, length)).astype("f4")
    for rate in (0.3, 0.99, 1.7, 10.0):
        found = time_stretch(samples, rate, n_fft=2048)
        assert found.shape == (2, stretched_length(length, rate)) == (2, max(round(length / rate), 1))
    assert pitch_shift(samples, 22050, -3, n_fft=2048).shape == (2, length)
    assert hpss(samples, percussive=True, margin=1.0, n_fft=2048).shape == (2, length)
