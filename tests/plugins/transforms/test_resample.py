"""resample: sines in closed form, and soxr itself."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import soxr

import tonearm
from tonearm.api import Context, Spec, Waveform
from tonearm_plugins.transforms.resample import Resample, ResampleOptions

PAIRS = [(48000, 22050), (22050, 48000), (44100, 16000), (16000, 24000), (24000, 8000), (8000, 48000), (44100, 44101)]


def resampled(samples: Any, old: int, new: int, **options: Any) -> Any:
    plugin = Resample(ResampleOptions(sample_rate=new, **options))
    result = plugin.apply(Waveform(samples=samples, sample_rate=old), Context())
    assert result.sample_rate == new
    known = plugin.produces(Spec(signals=(Waveform,), sample_rate=old, length=samples.shape[1]))
    assert (known.sample_rate, known.length) == (new, result.length)
    return result.samples


def sine(hertz: float, rate: int, length: int, kind: str = "f4") -> Any:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(length) / rate + 0.3))[None].astype(kind)


def decibels(error: Any, reference: Any) -> float:
    return 10 * math.log10(float(np.mean(np.square(error, dtype="f8")) / np.mean(np.square(reference, dtype="f8"))))


@pytest.mark.parametrize(("old", "new"), PAIRS[:-1])
@pytest.mark.parametrize(("kind", "quality", "limit"), [("f4", "high", -110), ("f8", "very-high", -150)])
def test_a_sine_is_the_sine_at_the_new_rate(old: int, new: int, kind: str, quality: str, limit: float) -> None:
    for hertz in (100.0, 0.4 * min(old, new)):
        got = resampled(sine(hertz, old, 2 * old, kind), old, new, quality=quality)
        assert got.dtype == kind
        inside = slice(new // 4, -new // 4)
        phase = 2 * np.pi * hertz * np.arange(got.shape[1])[inside] / new
        waves = np.stack([np.sin(phase), np.cos(phase)], axis=1)
        (real, imaginary), *_ = np.linalg.lstsq(waves, got[0, inside].astype("f8"))
        assert abs(20 * math.log10(math.hypot(real, imaginary) / 0.5)) < 0.005
        assert abs(math.atan2(imaginary, real) - 0.3) < 1e-6  # so not a millionth of a sample late
        assert decibels(got[0, inside] - waves @ (real, imaginary), got) < limit


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    tone = sine(15000, 48000, 96000)
    got = resampled(tone, 48000, 22050)
    assert decibels(got[:, 5000:-5000], tone) < -110
    assert decibels(resampled(tone, 48000, 22050, quality="quick")[:, 5000:-5000], tone) > -60  # as documented


def test_every_quality_is_the_one_that_soxr_has() -> None:
    tone = np.random.default_rng(1).standard_normal((1, 4410)).astype("f4") * 0.1
    names = {"quick": "QQ", "low": "LQ", "medium": "MQ", "high": "HQ", "very-high": "VHQ"}
    for quality, name in names.items():
        got = resampled(tone, 44100, 22050, quality=quality)[0]
        np.testing.assert_allclose(got[:2000], soxr.resample(tone[0], 44100, 22050, name)[:2000], atol=1e-6)
    assert Resample(ResampleOptions(sample_rate=1)).options.quality == "high"


@pytest.mark.parametrize("length", [1, 2, 3, 7, 100, 1001, 22051])
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_n_samples_become_as_many_as_last_as_long(old: int, new: int, length: int) -> None:
    samples = np.full((2, length), 0.5, "f4")
    got = resampled(samples, old, new)
    assert got.shape == (2, math.ceil(Fraction(length) * new / old))
    assert np.isfinite(got).all()
    assert np.abs(got).max() > 0.05  # not lost, however short


def test_channels_stay_apart() -> None:
    left, right = sine(440, 48000, 4800), sine(1000, 48000, 4800)
    both = resampled(np.concatenate([left, right]), 48000, 22050)
    np.testing.assert_array_equal(both[:1], resampled(left, 48000, 22050))
    np.testing.assert_array_equal(both[1:], resampled(right, 48000, 22050))


def test_nothing_happens_where_the_rates_agree() -> None:
    signal = Waveform(samples=np.zeros((1, 5), "f4"), sample_rate=16000)
    assert Resample(ResampleOptions(sample_rate=16000)).apply(signal, Context()) is signal


def test_the_input_stays_as_it_is_and_may_be_read_only_and_strided() -> None:
    samples = np.asfortranarray(np.random.default_rng(0).standard_normal((2, 1000)).astype("f4"))
    samples.setflags(write=False)
    np.testing.assert_array_equal(
        resampled(samples, 48000, 16000), resampled(np.ascontiguousarray(samples), 48000, 16000)
    )


def test_an_unknown_length_stays_unknown() -> None:
    spec = Resample(ResampleOptions(sample_rate=8000)).produces(Spec(signals=(Waveform,), length=10))
    assert (spec.sample_rate, spec.length) == (8000, None)


def test_the_rate_is_required_and_bounded() -> None:
    pipeline: dict[str, Any] = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"sample_rate": 16000}},
        "steps": [{"use": "resample"}, {"use": "resample", "with": {"sample_rate": 0, "quality": "best"}}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(pipeline)
    text = str(caught.value)
    assert "missing-option: resample: 'sample_rate' is missing" in text
    assert "resample: 'sample_rate' is 0" in text
    assert "one of quick, low, medium, high, very-high" in text
