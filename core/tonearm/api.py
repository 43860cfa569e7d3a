"""Everything that a plugin author may import, and nothing else."""

from __future__ import annotations

from msgspec import Meta

from tonearm.arrays import ArrayOptions, KeyedArrayOptions
from tonearm.contract import (
    ArrayDecoder,
    Context,
    Decoder,
    Encoder,
    Item,
    KeyedArrayDecoder,
    NoOptions,
    Regroup,
    Requirement,
    Sink,
    Transform,
)
from tonearm.dialects import MelDialect, MelSpectrogram, MelStep
from tonearm.errors import ItemError, OptionError, OutputError, SignalError
from tonearm.hookspecs import Decoders, Dialects, Encoders, Transforms, hookimpl
from tonearm.ports import Spec
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, StftGrid, Waveform
from tonearm.source import Source

__all__ = [
    "ArrayDecoder",
    "ArrayOptions",
    "ComplexSpectrogram",
    "Context",
    "Decoder",
    "Decoders",
    "Dialects",
    "Encoder",
    "Encoders",
    "Item",
    "ItemError",
    "KeyedArrayDecoder",
    "KeyedArrayOptions",
    "MagnitudeSpectrogram",
    "MelDialect",
    "MelSpectrogram",
    "MelStep",
    "Meta",
    "NoOptions",
    "OptionError",
    "OutputError",
    "Regroup",
    "Requirement",
    "Signal",
    "SignalError",
    "Sink",
    "Source",
    "Spec",
    "StftGrid",
    "Transform",
    "Transforms",
    "Waveform",
    "hookimpl",
]
