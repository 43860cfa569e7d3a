"""Waveforms into mel spectrograms, against what model families compute, and against figures."""

import mel_reference
import numpy as np
import pytest
from dialect_material import (
    DIALECTS,
    EXTRACTED,
    PICTURES,
    ROOT,
    STANDARDISED,
    USABLE,
    extracted,
    figures,
    problems_of,
    sounding,
    speech,
    to_mel,
    to_wave,
)

from tonearm.api import Context, InsertStep, ItemError, MelSpectrogram, Waveform
from tonearm_plugins.transforms.wave_to_mel import WaveToMel, WaveToMelOptions


@pytest.mark.parametrize("name", EXTRACTED)
def test_what_the_extractor_computed_is_reproduced(name):
    dialect, expected = DIALECTS.find(name), extracted(name)
    found = to_mel(speech(dialect.sample_rate), dialect).values[0]
    assert found.shape[0] == expected.shape[0]
    np.testing.assert_allclose(found[:, : expected.shape[1]], expected, rtol=0, atol=EXTRACTED[name])


def test_what_is_standardised_and_masked_is_reproduced():
    expected = np.load(ROOT / "tests/data/nemo-asr.npy")  # the last frames, of which the last is masked
    found = to_mel(speech(16000), DIALECTS.find("nemo-asr")).values[0]
    assert found.shape == (80, 261)
    np.testing.assert_allclose(found[:, -48:], expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", USABLE)
def test_every_dialect_is_as_its_figures_say(name):
    recipe, dialect = figures(name), DIALECTS.find(name)
    samples = sounding(dialect.sample_rate)
    if name in STANDARDISED - {"nemo-asr"}:
        dialect = dialect.replace(mean=0.0, std=1.0)
    found = to_mel(samples, dialect)
    expected = mel_reference.forward(samples, recipe)
    assert found.values.shape == (1, *expected.shape)
    assert found.length == samples.size
    scale = max(1.0, np.abs(expected).max())
    if name in PICTURES:
        assert (np.abs(found.values[0] - expected) > 0).mean() < 1e-4  # a byte may tip over
    else:
        np.testing.assert_allclose(found.values[0], expected, rtol=0, atol=1e-5 * scale)


class TestWaveToMel:
    def test_another_rate_is_found_before_any_data_is_read(self):
        (problem, *_) = problems_of(
            {"kind": "waveform", "sample_rate": 16000}, {"use": "wave-to-mel", "with": {"dialect": "hifigan"}},
            {"use": "mel-to-wave"},
        )  # fmt: skip
        assert problem.code == "rate-mismatch"
        assert problem.message == ("wave-to-mel: the waveform is at 16000 Hz, but the dialect hifigan at 22050 Hz")
        assert problem.remedies == (InsertStep("resample", {"sample_rate": 22050}),)

    def test_and_at_the_latest_with_the_signal(self):
        plugin = WaveToMel(WaveToMelOptions(dialect=DIALECTS.find("hifigan")))
        with pytest.raises(ItemError) as caught:
            plugin.apply(Waveform(samples=np.zeros((1, 9000)), sample_rate=8000), Context())
        assert caught.value.code == "rate-mismatch"

    @pytest.mark.parametrize(("name", "length"), [("hifigan", 384), ("tacotron2", 512), ("kaldi-fbank", 399)])
    def test_what_is_too_short(self, name, length):
        with pytest.raises(ItemError) as caught:
            to_mel(np.ones(length), DIALECTS.find(name))
        assert caught.value.code == "too-short"

    def test_channels_stay_apart(self):
        dialect = DIALECTS.find("hifigan")
        left, right = speech(22050)[:9000], sounding(22050)[:9000]
        both = to_mel(np.stack([left, right]), dialect).values
        np.testing.assert_array_equal(both[1], to_mel(right, dialect).values[0])
        assert to_wave(MelSpectrogram(values=both, dialect=dialect), iterations=0).channels == 2
