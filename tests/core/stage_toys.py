"""Toys for tests of stages: transforms that are functions, and what becomes of each item."""

from tonearm.api import NoOptions, Source, Transform, Waveform

SOURCE = Source(name="x.tone")


def step(function):
    """Return a transform that does what a function of a signal does."""

    class Step(Transform[Waveform, Waveform, NoOptions]):
        def apply(self, signal, context):
            return function(signal)

    return Step


def results(found, source=SOURCE):
    """Return what becomes of each item: its level, or the code, message and hint of its error."""
    return [
        (outcome.error.code, outcome.error.message, outcome.error.hint)
        if outcome.error
        else float(outcome.item.signal.samples.flat[0])
        for outcome in found.items(source)
    ]
