"""Every dialect into sound and back, and into one another."""

import itertools

import mel_reference
import numpy as np
import pytest
import soxr
from dialect_material import (
    DIALECTS,
    NAMES,
    RECIPES,
    ROOT,
    STANDARDISED,
    USABLE,
    figures,
    sounding,
    speech,
    to_mel,
    to_wave,
)

import tonearm
from tonearm.api import ItemError
from tonearm.recipes.recipe import matching


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "riffusion" else ())
        for name in sorted(set(USABLE) - STANDARDISED)
    ],
)
def test_every_dialect_comes_back_after_inversion(name):
    dialect = DIALECTS.find(name)
    mel = to_mel(sounding(dialect.sample_rate), dialect)
    again = to_mel(to_wave(mel).samples, dialect).values
    assert again.shape == mel.values.shape
    linear = [dialect.to_linear(values).astype(float)[..., 4:-4] for values in (again, mel.values)]
    assert np.linalg.norm(linear[0] - linear[1]) < 0.15 * np.linalg.norm(linear[1])


RING = [name for name in USABLE if name != "riffusion"]  # which takes seconds
COARSE = {"ddsp": 2.2, "pop2piano": 2.2, "wavernn": 3.6}  # 31 or 22 frames a second; clipped at 0 dB
LEVEL_LOST = {"librosa-db", "audio-diffusion", "wavernn"}


@pytest.mark.one_in(3)
@pytest.mark.filterwarnings("ignore:<array>. masked frames at the end are left out:tonearm.TonearmWarning")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(one, other, marks=pytest.mark.slow if number % 5 else ())
        for number, (one, other) in enumerate(zip(RING, RING[1:] + RING[:1], strict=True))
    ],
)
def test_any_dialect_converts_into_another_by_way_of_sound(one, other):
    """All of them in a ring, so that each is come from and gone to; between rates by resample."""
    speech_24k = speech(24000)[:24000]
    source = DIALECTS.find(one)
    given = {name: {"base": name, "mean": -4.0, "std": 2.0} if name in STANDARDISED else name for name in (one, other)}
    if one in STANDARDISED:
        source = source.replace(mean=-4.0, std=2.0)
    mel = to_mel(soxr.resample(speech_24k, 24000, source.sample_rate), source).values[0]
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "mel", "axes": ["mel", "frame"], "dialect": given[one]}},
            "steps": [
                {"use": "mel-to-wave", "with": {"preset": "draft"}},
                {"use": "resample", "with": {"sample_rate": DIALECTS.find(other).sample_rate}},
                {"use": "wave-to-mel", "with": {"dialect": given[other]}},
                {"use": "mel-to-wave", "with": {"preset": "draft"}},
            ],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    (wave,) = pipeline.convert(mel)
    assert wave.samples.shape[1] / wave.sample_rate == pytest.approx(1, abs=0.03)
    difference = (mel_reference.picture(wave.samples[0], wave.sample_rate) - mel_reference.picture(speech_24k, 24000))[
        :, 2:-4
    ]
    level = difference.mean()
    assert abs(level) < (40 if {one, other} & LEVEL_LOST else 0.8)
    assert np.abs(difference - level).mean() < max(COARSE.get(name, 0.8) for name in (one, other))


class TestContradictions:
    @pytest.mark.parametrize(
        ("declared", "true", "reason"),
        [
            ("melgan", "hifigan", "but in melgan none is below -5"),
            ("matcha", "hifigan", "but in matcha none is below -2.82421"),
            ("coqui", "hifigan", "but in coqui none is below -4"),
            ("wavernn", "tacotron2-rayhane", "but in wavernn none is below 0"),
            ("hifigan", "tacotron2-rayhane", None),
            ("bigvgan-24k", "hifigan", "has 100 bands, like the dialect bigvgan-24k"),
            ("whisper", "kaldi-fbank", "but in whisper none is"),
            ("hifigan", "kaldi-fbank", "the largest value is"),
        ],
    )
    def test_a_mel_of_another_family_is_refused_and_its_own_is_named(self, declared, true, reason):
        array = np.load(ROOT / f"configs/samples/mel/{true}.npy")
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": declared}},
                "outputs": [{"use": "wav-writer", "file": "a.wav"}],
                "steps": [{"use": "mel-to-wave", "with": {"iterations": 0}}],
            }
        )
        if reason is None:  # within what the other could write, but the sound of it is far too loud
            with pytest.raises(ItemError) as caught, pytest.warns(tonearm.TonearmWarning, match="dialect-doubtful"):
                list(pipeline.convert(array))
            assert caught.value.code == "beyond-full-scale"
            return
        with pytest.raises(ItemError) as caught:
            list(pipeline.convert(array))
        assert caught.value.code == "dialect-mismatch"
        assert reason in caught.value.message
        assert true in caught.value.hint
        rates = {DIALECTS.find(name).sample_rate for name in (declared, true)}
        assert len(rates) == 1 or "with sample_rate" in caught.value.hint

    def test_every_family_fits_itself(self):
        for name in sorted(set(USABLE) - STANDARDISED):
            dialect = DIALECTS.find(name)
            values = to_mel(sounding(dialect.sample_rate, 0.5), dialect).values
            assert dialect.contradiction(values.min(), values.max()) == "", name
            assert name in matching(DIALECTS, [dialect.n_mels], float(values.min()), float(values.max())), name


class TestPresets:
    def test_there_are_55_and_each_says_where_its_figures_stand(self):
        assert len(USABLE) == 55
        for name in NAMES:
            assert figures(name)["source"], name

    def test_their_other_names_mean_the_same(self):
        for name, recipe in RECIPES.items():
            if set(recipe) == {"base"} and recipe["base"] != "gansynth":
                assert DIALECTS.find(name).differences(DIALECTS.find(recipe["base"])) == []

    def test_those_that_users_know_are_there(self):
        known = (
            "hifigan tacotron2 bigvgan-24k vocos f5-tts cosyvoice2 matcha whisper speecht5 nemo-fastpitch rvc-40k"
            " fish-speech styletts2 melgan librosa-db torchaudio"
        )
        assert set(known.split()) <= set(USABLE)

    def test_no_two_say_the_same_but_for_what_is_known_to(self):
        same = {
            frozenset(pair)
            for pair in itertools.combinations(USABLE, 2)
            if not DIALECTS.find(pair[0]).differences(DIALECTS.find(pair[1]))
        }
        assert same == {
            frozenset(pair)
            for group in (
                ("tacotron2", "waveglow"),
                ("hifigan", "bigvgan-22k-fmax8k", "cosyvoice1"),
                ("bigvgan-24k", "f5-tts-bigvgan", "univnet"),
                ("kaldi-fbank", "seamless-fbank"),
            )
            for pair in itertools.combinations(group, 2)
        }
