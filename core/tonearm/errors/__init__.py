"""Errors: a place, what is wrong, and what to do about it.

`codes` lists every code once, with its meaning and its remedy.
"""

from __future__ import annotations

from tonearm.errors.exceptions import (
    ItemError,
    OptionError,
    OutputError,
    PipelineError,
    SignalError,
    TonearmError,
    UsageError,
)
from tonearm.errors.place import Form, Place
from tonearm.errors.problem import Problem, advise
from tonearm.errors.remedies import (
    Advice,
    ChooseOption,
    ChoosePlugin,
    GiveOption,
    InsertStep,
    InstallExtra,
    Remedy,
    RemoveOption,
    RunCommand,
    SetLimit,
    SetOption,
    ShowTraceback,
)
from tonearm.errors.text import did_you_mean, one_line

__all__ = [
    "Advice",
    "ChooseOption",
    "ChoosePlugin",
    "Form",
    "GiveOption",
    "InsertStep",
    "InstallExtra",
    "ItemError",
    "OptionError",
    "OutputError",
    "PipelineError",
    "Place",
    "Problem",
    "Remedy",
    "RemoveOption",
    "RunCommand",
    "SetLimit",
    "SetOption",
    "ShowTraceback",
    "SignalError",
    "TonearmError",
    "UsageError",
    "advise",
    "did_you_mean",
    "one_line",
]
