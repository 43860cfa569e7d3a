"""Decoders and steps made of functions, and what becomes of the items that they give."""

from core_toys import checked, pipeline, registry_of

from tonearm.api import Decoder, NoOptions, Regroup, Source, Transform, Waveform
from tonearm.pipeline.converter import Converter

SOURCE = Source(name="x.tone")


def reader(*given, options=NoOptions):
    """Return a decoder that gives these things, and raises those that are errors."""

    class Reader(Decoder[Waveform, options]):
        def decode(self, source, context):
            for one in given:
                if isinstance(one, BaseException):
                    raise one
                yield one

    return Reader


def step(function):
    """Return a transform that does what a function of a signal does."""

    class Step(Transform[Waveform, Waveform, NoOptions]):
        def apply(self, signal, context):
            return function(signal)

    return Step


def regroup(function, together="source"):
    """Return a regrouping plugin that does what a function of items does."""

    class Group(Regroup[Waveform, Waveform, NoOptions]):
        def regroup(self, items, context):
            return function(items)

        def grouping(self):
            return together

    return Group


def failing(error):
    """Return a function that raises an error."""

    def function(_):
        raise error

    return function


def made(steps=(), *, use="tone-reader", **offered):
    """Return a pipeline of toys and of the plugins offered."""
    return Converter(checked(pipeline(reader=use, steps=steps), registry_of(**offered)))


def results(found, source=SOURCE):
    """Return what becomes of each item: its level, or the code, message and hint of its error."""
    return [
        (outcome.error.code, outcome.error.message, outcome.error.hint)
        if outcome.error
        else float(outcome.item.signal.samples.flat[0])
        for outcome in found.items(source)
    ]
