"""Decoders and steps made of functions, and what becomes of the items that they give."""

import numpy as np
from core_toys import RATE, RawWriter, Same, ToneReader, checked, hooks, item, package_of, pipeline, registry_of

from tonearm.api import Context, Decoder, Item, NoOptions, Regroup, Source, Transform, Waveform
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.registry import Registry

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


def nan(signal):
    return replace_samples(signal, np.nan)


def replace_samples(signal, value):
    return Waveform(samples=np.full_like(signal.samples, value), sample_rate=RATE)


def stages(*functions, origin="builtin", decoder=ToneReader):
    """Return a decoder and steps of one package, bound to their options."""
    offered = {name: step(one) if callable(one) else Same for name, one in zip("abc", functions, strict=False)}
    offered |= {"sum": regroup(added), "alone": regroup(lambda items: items, "item")}
    toys = hooks(decoders={"it": decoder}, transforms=offered, encoders={"raw-writer": RawWriter})
    steps = (*"abc"[: len(functions)], "sum", "alone")
    found = checked(pipeline(reader="it", steps=steps), Registry([package_of(origin, toys)]))
    return (found.decoder, *found.steps)


def added(items):
    yield Item(signal=replace_samples(item(0).signal, sum(one.signal.samples[0, 0] for one in items)))


def outcome(level=0.5, **more):
    return Outcome(context=Context(), item=item(level), **more)
