"""Encoders: their defaults, and their abstract methods."""

import pytest

from tonearm.api import Encoder, NoOptions, Spec, Waveform


class Writer(Encoder[Waveform, NoOptions]):
    def encode(self, item, sink, context): ...


def test_it_accepts_every_signal_by_default():
    assert Writer(NoOptions()).accepts(Spec(signals=(Waveform,), channels=99, suffix=".xyz")) is None
    assert Writer.suffixes == ()


def test_it_cannot_be_made_without_its_method():
    with pytest.raises(TypeError, match="abstract"):
        Encoder(NoOptions())
