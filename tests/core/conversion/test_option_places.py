"""Which plugins of a conversion have an option of some name."""

import pytest

from tonearm.arrays import ArrayOptions
from tonearm.conversion.option_places import (
    OptionPlace,
    array_classes,
    chosen_places,
    connecting_transforms,
    named_in_vain,
    named_plugins,
    option_places,
    options_by_plugin,
    plugins_with,
    shared_places,
)


def places(installed, **given):
    return {place.path: place for place in option_places(installed, **given)}


def test_a_decoder_of_arrays_has_the_options_of_all_kinds_or_of_the_given_one(installed):
    found = places(installed, decoder="npy-reader", encoder="mp3-writer")
    assert {"kind", "axes", "sample_rate", "dialect", "n_fft"} <= set(found["input"].options)
    assert "bitrate" in found["outputs.0"].options
    found = places(installed, decoder="npy-reader", encoder="", kind="waveform")
    assert "sample_rate" in found["input"].options
    assert not {"dialect", "n_fft"} & set(found["input"].options)
    assert list(found) == ["input"]


def test_a_decoder_of_sound_has_its_own_alone(installed):
    assert not {"kind", "sample_rate"} & set(places(installed, decoder="audio-reader", encoder="")["input"].options)


def test_a_signal_has_no_decoder_and_transforms_that_were_put_in_have_options(installed):
    found = places(installed, decoder="", encoder="wav-writer", inserted=[(0, "griffin-lim")])
    assert list(found) == ["outputs.0", "steps.0"]
    assert "iterations" in found["steps.0"].options


def test_the_plugins_that_have_an_option(installed):
    assert list(plugins_with(installed, "encoder", "bitrate")) == [
        "aac-writer",
        "ffmpeg-writer",
        "m4a-writer",
        "mp3-writer",
        "opus-writer",
    ]
    assert list(plugins_with(installed, "encoder", "bitrat")) == []


def test_the_options_of_each_plugin(installed):
    found = dict(options_by_plugin(installed, "encoder"))
    assert "bitrate" in found["mp3-writer"]
    assert "npy-reader" not in found


def test_a_few_plugins_are_named():
    assert [named_plugins("abcde"[:count]) for count in (1, 2, 4, 5)] == [
        "a",
        "a and b",
        "a, b, c and 1 other",
        "a, b, c and 2 others",
    ]
    assert named_in_vain(["a"], "used") == "a, which is not used here"
    assert named_in_vain(["a", "b"], "needed") == "a and b, which are not needed here"


def test_transforms_that_connect_give_other_signals_than_they_take(installed):
    found = set(connecting_transforms(installed))
    assert {"griffin-lim", "istft", "mel-to-wave", "wave-to-spectrogram"} <= found
    assert not {"normalize", "resample", "split"} & found


@pytest.mark.parametrize("kind", [None, "no-such-kind"])
def test_without_a_kind_arrays_have_the_options_of_every_kind(installed, kind):
    found = array_classes(installed, kind)
    assert found["axes"] is ArrayOptions
    assert {"dialect", "n_fft", "full_scale"} <= set(found)


class TestSharedPlaces:
    INPUT = OptionPlace("input", "npy-reader", {"rate": None, "axes": None})
    OUTPUT = OptionPlace("outputs.0", "npy-writer", {"rate": None})
    NETWORK = OptionPlace("steps.0", "onnx-codec", {"rate": None, "model": None}, is_network=True)

    def test_a_network_takes_what_the_decoder_is_told(self):
        places = (self.INPUT, self.NETWORK)
        assert chosen_places(places, "rate") == [self.INPUT]
        assert shared_places(places, self.INPUT, "rate") == [self.INPUT, self.NETWORK]
        assert shared_places(places, self.INPUT, "axes") == [self.INPUT]

    def test_its_own_options_are_its_alone(self):
        places = (self.INPUT, self.NETWORK)
        assert chosen_places(places, "model") == [self.NETWORK]
        assert shared_places(places, self.NETWORK, "model") == [self.NETWORK]

    def test_an_encoder_may_mean_something_else(self):
        places = (self.INPUT, self.OUTPUT, self.NETWORK)
        assert chosen_places(places, "rate") == [self.INPUT, self.OUTPUT]
        assert shared_places(places, self.OUTPUT, "rate") == [self.OUTPUT]
