"""Decoders that have decoded the first item before the pipeline is complete."""

import pytest
from core_toys import checked, pipeline, registry_of

from tonearm import UsageError, Waveform
from tonearm.conversion.started_decoder import decoded_signals
from tonearm.plugins.context import Context
from tonearm.source import Source

SOURCE = Source(name="a.tone", path="a.tone")


@pytest.fixture
def bound():
    return checked(pipeline()).decoder


def test_options_that_tell_the_class_start_nothing(bound):
    assert decoded_signals(bound, SOURCE, registry_of()) == ((Waveform,), None)


def test_one_that_is_started_continues_with_what_it_recorded(bound):
    signals, started = decoded_signals(bound, SOURCE, registry_of(), start=True)
    assert signals == (Waveform,)
    assert started.signal.samples[0, 0] == pytest.approx(0.1)
    context = Context()
    levels = (round(float(item.signal.samples[0, 0]), 1) for item in started.decode(SOURCE, context))
    assert [(level, context.drain().measurements["level"]) for level in levels] == [(0.1, 1), (0.2, 2)]


def test_what_is_no_decoder(bound):
    encoder = checked(pipeline()).outputs[0].encoder
    with pytest.raises(UsageError, match="raw-writer is not a decoder"):
        decoded_signals(encoder, SOURCE, registry_of())
