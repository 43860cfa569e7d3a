"""Steps for pipelines whose outputs have steps of their own, and what each output gets."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from core_toys import RATE, Same, registry_of

from tonearm.api import Item, ItemError, Meta, NoOptions, Regroup, Transform, Waveform
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain

RAW = {"use": "raw-writer", "with": {"level": 1}}


@dataclass(frozen=True)
class GainOptions:
    by: Annotated[float, Meta(gt=0)] = 2.0


class Gain(Transform[Waveform, Waveform, GainOptions]):
    """Make a waveform louder, and record what it did."""

    def apply(self, signal, context):
        context.measure(gain=self.options.by)
        context.warn(f"louder by {self.options.by:g}")
        return Waveform(samples=signal.samples * np.float32(self.options.by), sample_rate=RATE)


class Halves(Regroup[Waveform, Waveform, NoOptions]):
    """Cut each item in two; every item has the same key, as in a batch of one array."""

    def regroup(self, items, context):
        for one in items:
            for samples in np.split(one.signal.samples, 2, axis=1):
                yield Item(signal=Waveform(samples=samples, sample_rate=RATE), key="k")

    def grouping(self):
        return "item"

    def produces(self, spec):
        return spec.replace(several=True)


class InPlace(Same):
    def apply(self, signal, context):
        signal.samples[:] = 0
        return signal


class Fails(Same):
    def apply(self, signal, context):
        if signal.samples[0, 0] > 0.15:
            raise ItemError("too loud", code="mine")
        return signal


class NotFinite(Same):
    def apply(self, signal, context):
        return Waveform(samples=signal.samples * np.float32("nan"), sample_rate=RATE)


REGISTRY = registry_of(
    transforms={"gain": Gain, "halves": Halves, "in-place": InPlace, "fails": Fails, "not-finite": NotFinite}
)


def document(*outputs, steps=(), reader="tone-reader"):
    """Return a pipeline with outputs that have these steps."""
    made = [RAW | {"file": f"{{stem}}-{{index}}-{number}.raw"} for number in range(len(outputs))]
    for output, own in zip(made, outputs, strict=True):
        if own is not None:
            output["steps"] = [{"use": name} if isinstance(name, str) else name for name in own]
    return {"tonearm": 1, "input": {"use": reader}, "steps": [{"use": name} for name in steps], "outputs": made}


def branched(*outputs, steps=(), registry=REGISTRY, **more):
    return Converter(check(from_plain(document(*outputs, steps=steps, **more)), None, registry))


def levels(converter, number, outcomes):
    """Return what one output gets: level, key and index of each item, or the code of its error."""
    return [
        found.error.code
        if found.error
        else (round(float(found.item.signal.samples[0, 0]), 3), found.item.key, found.item.index)
        for outcome in outcomes
        for found in converter.branch(converter.outputs[number], outcome)
    ]
