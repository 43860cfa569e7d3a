"""Whole numbers that may be tokens are asked about, with the layouts that fit; sound is not."""

from pathlib import Path

import numpy as np
import pytest

import tonearm
from tonearm import ItemError
from tonearm.kinds.token_doubts import token_remedies
from tonearm.plugins import registry
from tonearm.plugins.context import Context

DATA = Path(__file__).parents[2] / "data/tokens"
RNG = np.random.default_rng(5)
CONTEXT = Context(catalogue=registry.default().catalogue)


def oracle(name, case):
    return np.load(DATA / f"{name}.npz")[f"{case}/raw"]


def hint_of(array, **more):
    with pytest.raises(ItemError) as caught:
        tonearm.to_waveform(array, **more)
    assert caught.value.code == "unknown-kind"
    return caught.value.hint


@pytest.mark.parametrize(
    ("array", "rate", "layout"),
    [
        (oracle("orpheus", "ids_plain"), 24000, "orpheus-snac24"),
        (oracle("orpheus", "ids_plain").astype("i4"), 24000, "orpheus-snac24"),
        (oracle("kani", "whole_sequence"), 22050, "kani-nanocodec"),
        (oracle("musicgen_hf", "mono"), 32000, "musicgen-hf"),
        (oracle("csm", "eos"), 24000, "csm-mimi"),
        (oracle("dia", "eos"), 44100, "dia-dac44"),
        (oracle("fish", "saved_npy"), 44100, "fish-speech-s1-codes"),
    ],
)
def test_the_layouts_that_fit_are_named(array, rate, layout):
    assert f'"{layout}"' in hint_of(array, sample_rate=rate)


def test_one_axis_may_be_samples_all_the_same():
    hint = hint_of(oracle("orpheus", "ids_plain"), sample_rate=24000)
    assert hint == 'layout="orpheus-snac24", if these are tokens; kind="waveform", if these are samples'


def test_layouts_that_fit_less_well_are_counted():
    hint = hint_of(oracle("musicgen_hf", "batch_of_2"), sample_rate=32000)
    named = 'layout="musicgen-audiocraft-stereo" or layout="musicgen-hf-stereo"'
    assert hint.startswith(f"{named}, if these are tokens, or another one of 3 that fit")


def test_short_integers_near_the_size_of_a_codebook_are_no_sound():
    codes = RNG.integers(0, 1024, 700).astype("i2")
    codes[-1] = 1023
    assert hint_of(codes, sample_rate=44100).endswith('kind="waveform", if these are samples')
    with pytest.warns(tonearm.TonearmWarning, match="kind-doubtful"):
        assert tonearm.to_waveform(codes, sample_rate=44100, kind="waveform").samples.shape == (1, 700)


@pytest.mark.parametrize(("size", "name"), [(10000, "bark-encodec24-semantic"), (6561, "s3-")])
def test_a_layout_that_gives_no_sound_is_not_named(size, name):
    codes = RNG.integers(0, size, 700)
    codes[-1] = size - 1
    assert name not in repr(token_remedies(codes, None, CONTEXT))


TONE = np.sin(np.arange(9000) / 7)


@pytest.mark.parametrize(
    "samples",
    [
        (TONE * 32767).astype("i2"),
        (TONE * 1023).astype("i2"),
        (TONE * 2**30).astype("i4"),
        (np.abs(TONE) * 1023).astype("f4"),
        np.zeros(9000, "i2"),
        np.concatenate([np.zeros(5000), TONE * 1023]).astype("i2"),
        (np.abs(TONE) * 30000).astype("i2"),
        (np.sin(np.arange(1, 90) / 29) * 1020).astype("i2"),  # half a wave
        (TONE * 127 + 128).astype("u1"),
    ],
)
def test_sound_is_no_tokens(samples):
    assert token_remedies(samples, None, CONTEXT) == ()


def test_a_given_full_scale_says_that_these_are_samples():
    codes = RNG.integers(0, 1024, 700).astype("i2")
    codes[-1] = 1023
    assert tonearm.to_waveform(codes, sample_rate=44100, full_scale=1024).samples.max() == 1023 / 1024


@pytest.mark.parametrize("peak", [500, 900, 1023, 2040, 4095, 32767])
@pytest.mark.parametrize("dtype", ["i2", "i4"])
def test_recorded_speech_is_no_tokens(peak, dtype):
    speech = np.load(Path(__file__).parents[3] / "configs/samples/utt00.npy").reshape(-1)
    samples = np.rint(speech * (peak / np.abs(speech).max())).astype(dtype)
    for cut in (samples, samples[20000:21000], samples[:600]):
        assert token_remedies(cut, None, CONTEXT) == ()
