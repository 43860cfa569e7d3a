"""Mel spectrograms into waveforms."""

import numpy as np
import pytest
from dialect_material import (
    DIALECTS,
    EXTRACTED,
    STANDARDISED,
    distance_db,
    extracted,
    problems_of,
    sounding,
    speech,
    to_mel,
    to_wave,
)

from tonearm.api import Context, ItemError, MelSpectrogram, OptionError, Spec
from tonearm_plugins.transforms.mel_to_magnitude import MelToMagnitude, MelToMagnitudeOptions
from tonearm_plugins.transforms.mel_to_wave import MelToWave, MelToWaveOptions


@pytest.mark.parametrize("name", EXTRACTED)
def test_what_the_extractor_computed_comes_back_after_inversion(name):
    dialect, expected = DIALECTS.find(name), extracted(name)
    context = Context()
    wave = to_wave(MelSpectrogram(values=expected[None].astype("f4"), dialect=dialect), context)
    assert wave.length == dialect.samples(expected.shape[1])
    again = to_mel(wave.samples, dialect).values[0]
    assert again.shape[1] in (expected.shape[1], expected.shape[1] + (dialect.last_frame == "mask"))
    inside = slice(3, expected.shape[1] - 3)  # frames at the ends hold what padding reflected, and nobody knows
    assert distance_db(again[:, inside], expected[:, inside], dialect) < 0.5
    assert context.measurements["mel_convergence_db"] < -25


def test_pre_emphasis_is_undone():
    dialect = DIALECTS.find("tacotron2-rayhane").replace(steps=(), preemphasis=0.9)
    samples = sounding(22050)
    wave = to_wave(to_mel(samples, dialect), iterations=100)
    low, _ = np.array_split(np.abs(np.fft.rfft(wave.samples[0])) ** 2, [4000])
    before_low, _ = np.array_split(np.abs(np.fft.rfft(samples)) ** 2, [4000])
    assert abs(10 * np.log10(low.sum() / before_low.sum())) < 1
    magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(to_mel(samples, dialect), Context())
    plain = MelToMagnitude(MelToMagnitudeOptions()).apply(to_mel(samples, dialect.replace(preemphasis=0.0)), Context())
    ratio = np.median(magnitude.values[0, 10:300] / plain.values[0, 10:300])
    assert ratio == pytest.approx(1, abs=0.1)


def test_each_preset_comes_nearer_and_gives_way_to_what_is_said():
    dialect = DIALECTS.find("hifigan")
    mel = to_mel(speech(22050)[:22050], dialect)

    def measured(**options):
        context = Context()
        to_wave(mel, context, **options)
        return context.measurements

    draft, fast, best = (measured(preset=preset) for preset in ("draft", "fast", "best"))
    assert [one["iterations"] for one in (draft, fast, best)] == [8, 32, 128]
    assert best["mel_convergence_db"] < fast["mel_convergence_db"] - 2 < draft["mel_convergence_db"] - 4
    said = measured(preset="best", iterations=32, momentum=0.95)
    assert said == fast
    assert measured(preset="best", iterations=32) != fast


@pytest.mark.parametrize("name", ["nemo-fastpitch", "nemo-asr"])
def test_masked_frames_are_no_sound(name):
    dialect = DIALECTS.find(name)
    if dialect.refusal:
        dialect = dialect.replace(mean=-8.0, std=4.0)
    mel = to_mel(np.zeros(9000), dialect)
    assert not mel.values[..., -1].any()
    assert mel.values[..., :-1].any()
    assert np.abs(to_wave(mel, iterations=1).samples).max() < 1e-4
    magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(mel, Context())
    assert magnitude.values.max() < 1e-2
    assert (magnitude.frames, magnitude.length) == (mel.frames - 1, 9000)


class TestWhatCannotBeUndone:
    @pytest.mark.parametrize("name", sorted(STANDARDISED))
    def test_is_refused_with_the_reason_and_taken_with_statistics(self, name):
        dialect = DIALECTS.find(name)
        whose = "each utterance's own" if name == "nemo-asr" else "the model's"
        reason = f"values in the dialect {name} are standardised by {whose} statistics, which are not given"
        mel = MelSpectrogram(values=np.zeros((1, dialect.n_mels, 9), "f4"), dialect=dialect)
        for plugin in (MelToWave(MelToWaveOptions()), MelToMagnitude(MelToMagnitudeOptions())):
            with pytest.raises(OptionError) as caught:
                plugin.produces(Spec(signals=(MelSpectrogram,)).carrying(dialect))
            assert (caught.value.code, caught.value.message) == ("not-invertible", reason)
            with pytest.raises(ItemError) as failed:
                plugin.apply(mel, Context())
            assert failed.value.message == reason
        mean = tuple(np.linspace(-7, -4, dialect.n_mels))
        given = dialect.replace(mean=mean, std=2.0, last_frame="keep")
        samples = sounding(dialect.sample_rate, 0.5)
        native = to_mel(samples, given)
        plain = to_mel(samples, given.replace(mean=None, std=None, statistics="none"))
        np.testing.assert_allclose(native.values[0] * 2 + np.array(mean)[:, None], plain.values[0], atol=1e-4)
        np.testing.assert_allclose(
            to_wave(native, iterations=1).samples, to_wave(plain, iterations=1).samples, atol=1e-4
        )

    def test_check_says_it_at_its_place(self):
        problems = problems_of({"kind": "mel", "dialect": "nemo-asr"})
        assert [problem.code for problem in problems] == ["not-invertible"]
        assert "mean: […], std: […]" in problems[0].hint
        assert problems_of({"kind": "mel", "dialect": {"base": "nemo-asr", "mean": -5.0, "std": 3.0}}) == []

    def test_what_needs_stored_statistics_cannot_be_computed_either(self):
        problems = problems_of(
            {"kind": "waveform", "sample_rate": 22050}, {"use": "wave-to-mel", "with": {"dialect": "xtts-dvae"}}
        )
        assert [problem.code for problem in problems][:1] == ["no-statistics"]

    def test_gansynth_is_refused_by_name(self):
        (problem, *_) = problems_of({"kind": "mel", "dialect": "gansynth"})
        assert problem.code == "refused-dialect"
        assert "it holds phases beside the magnitudes" in problem.message
