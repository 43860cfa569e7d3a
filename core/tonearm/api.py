"""The public interface for plugin authors; plugins import nothing else of tonearm."""

from __future__ import annotations

from msgspec import Meta

from tonearm.arrays import ArrayOptions, KeyedArrayOptions, NanPolicy, read_array
from tonearm.errors import (
    Advice,
    ChooseOption,
    GiveOption,
    InsertStep,
    InstallExtra,
    ItemError,
    OptionError,
    OutputError,
    Remedy,
    RemoveOption,
    RunCommand,
    SetOption,
    SignalError,
    UsageError,
)
from tonearm.plugins.array_decoder import ArrayDecoder, KeyedArrayDecoder
from tonearm.plugins.context import Context, Provenance
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.executor import Died, Executor, Results, Work
from tonearm.plugins.hookspecs import Decoders, Dialects, Encoders, Executors, Transforms, hookimpl
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import FilePath, NoOptions
from tonearm.plugins.ports import Spec
from tonearm.plugins.requirements import Requirement
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Grouping, Regroup, Transform
from tonearm.recipes.mel import MelDialect, MelSpectrogram, MelStep
from tonearm.signals import (
    MAX_SAMPLE_RATE,
    ComplexSpectrogram,
    MagnitudeSpectrogram,
    Padding,
    PadMode,
    Signal,
    StftGrid,
    Waveform,
)
from tonearm.signals.conventions import ConventionOptions
from tonearm.signals.plain_values import from_plain_values
from tonearm.signals.window_files import is_window_file
from tonearm.source import Source

__all__ = [
    "MAX_SAMPLE_RATE",
    "Advice",
    "ArrayDecoder",
    "ArrayOptions",
    "ChooseOption",
    "ComplexSpectrogram",
    "Context",
    "ConventionOptions",
    "Decoder",
    "Decoders",
    "Dialects",
    "Died",
    "Encoder",
    "Encoders",
    "Executor",
    "Executors",
    "FilePath",
    "GiveOption",
    "Grouping",
    "InsertStep",
    "InstallExtra",
    "Item",
    "ItemError",
    "KeyedArrayDecoder",
    "KeyedArrayOptions",
    "MagnitudeSpectrogram",
    "MelDialect",
    "MelSpectrogram",
    "MelStep",
    "Meta",
    "NanPolicy",
    "NoOptions",
    "OptionError",
    "OutputError",
    "PadMode",
    "Padding",
    "Provenance",
    "Regroup",
    "Remedy",
    "RemoveOption",
    "Requirement",
    "Results",
    "RunCommand",
    "SetOption",
    "Signal",
    "SignalError",
    "Sink",
    "Source",
    "Spec",
    "StftGrid",
    "Transform",
    "Transforms",
    "UsageError",
    "Waveform",
    "Work",
    "from_plain_values",
    "hookimpl",
    "is_window_file",
    "read_array",
]
