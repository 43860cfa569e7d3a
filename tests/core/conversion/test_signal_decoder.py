"""Signals in the place of a decoder."""

import numpy as np

from tonearm import Waveform
from tonearm.conversion.signal_decoder import bound_signal
from tonearm.plugins.context import Context
from tonearm.source import Source

SOUND = Waveform(samples=np.zeros((2, 9)), sample_rate=8000)


def test_it_yields_the_signal_that_the_source_is():
    bound = bound_signal(SOUND)
    (item,) = bound.plugin.decode(Source(name="<waveform>", signal=SOUND), Context())
    assert item.signal is SOUND


def test_its_specification_is_that_of_every_such_sound():
    bound = bound_signal(SOUND)
    assert bound.name == "the waveform"
    spec = bound.plugin.produces()
    assert (spec.signals, spec.sample_rate) == ((Waveform,), 8000)
    assert (spec.channels, spec.length, spec.precision, spec.several) == (None, None, None, None)
