"""Encoders: their defaults, and their abstract methods."""

from dataclasses import dataclass

import numpy as np
import pytest

from tonearm.api import Encoder, InsertStep, ItemError, Limits, NoOptions, OptionError, Spec, Waveform


class Writer(Encoder[Waveform, NoOptions]):
    def encode(self, item, sink, context): ...


def test_it_accepts_every_signal_by_default():
    assert Writer(NoOptions()).accepts(Spec(signals=(Waveform,), channels=99, suffix=".xyz")) is None
    assert Writer.suffixes == ()


def test_it_cannot_be_made_without_its_method():
    with pytest.raises(TypeError, match="abstract"):
        Encoder(NoOptions())


class Narrow(Writer):
    limits = Limits(name="Narrow", rates=(8000, 16000), channels=1)


class BySuffix(Writer):
    def limits_for(self, spec):
        return Limits(name="Short", longest=3) if spec.suffix == ".short" else None


def test_one_declaration_is_checked_for_a_specification_and_for_a_signal():
    plugin = Narrow(NoOptions())
    plugin.accepts(Spec(signals=(Waveform,)))
    with pytest.raises(OptionError) as early:
        plugin.accepts(Spec(signals=(Waveform,), sample_rate=11025))
    with pytest.raises(ItemError) as late:
        plugin.check_signal(Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=11025))
    for error in (early.value, late.value):
        assert (error.message, error.code) == ("Narrow cannot have a sample rate of 11025 Hz", "unsupported-rate")
        assert error.remedies == (InsertStep("resample", {"sample_rate": 16000}),)
    plugin.check_signal(Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000))


def test_limits_may_depend_on_the_suffix_of_the_file():
    plugin, signal = BySuffix(NoOptions()), Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000)
    plugin.check_signal(signal, ".long")
    with pytest.raises(ItemError, match="Short cannot have 4 samples, only up to 3"):
        plugin.check_signal(signal, ".short")


def test_an_encoder_clips_unless_its_options_choose_floats():
    @dataclass(frozen=True)
    class Options:
        name: str = ""

        def float_format(self):
            return self.name

    class Chosen(Writer):
        pass

    assert [Writer(NoOptions()).clips(), Chosen(Options()).clips(), Chosen(Options("FLOAT")).clips()] == [
        True,
        True,
        False,
    ]
