"""Turns what machine-learning models write into audio that people can hear.

>>> import tonearm
>>> pipeline = tonearm.load_pipeline("pipeline.yaml")  # doctest: +SKIP
>>> report = pipeline.run(["a.npy", "b.npy"], out="audio")  # doctest: +SKIP

A name is imported when it is first used, so ``import tonearm`` alone costs nothing.
"""

from __future__ import annotations

from tonearm.version import __version__

TYPE_CHECKING = False  # without importing typing: see `tonearm.startup`
if TYPE_CHECKING:
    from typing import Any

    from tonearm.conversion.saved import Saved
    from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
    from tonearm.python import Pipeline, TonearmWarning, encode, load_pipeline, read, save, to_waveform
    from tonearm.recipes.mel import MelDialect, MelSpectrogram
    from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, StftGrid, Waveform

__all__ = [
    "ComplexSpectrogram",
    "ItemError",
    "MagnitudeSpectrogram",
    "MelDialect",
    "MelSpectrogram",
    "OutputError",
    "Pipeline",
    "PipelineError",
    "Problem",
    "Saved",
    "Signal",
    "StftGrid",
    "TonearmError",
    "TonearmWarning",
    "UsageError",
    "Waveform",
    "__version__",
    "encode",
    "load_pipeline",
    "read",
    "save",
    "to_waveform",
]

_MODULES = {
    "ComplexSpectrogram": "signals",
    "ItemError": "errors",
    "MagnitudeSpectrogram": "signals",
    "MelDialect": "recipes.mel",
    "MelSpectrogram": "recipes.mel",
    "OutputError": "errors",
    "Pipeline": "python",
    "PipelineError": "errors",
    "Problem": "errors",
    "Saved": "conversion.saved",
    "Signal": "signals",
    "StftGrid": "signals",
    "TonearmError": "errors",
    "TonearmWarning": "python",
    "UsageError": "errors",
    "Waveform": "signals",
    "encode": "python",
    "load_pipeline": "python",
    "read": "python",
    "save": "python",
    "to_waveform": "python",
}
"""Public names, each with the module that is imported when the name is first used."""


def __getattr__(name: str) -> Any:
    """Import a public name, and keep it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'tonearm' has no attribute {name!r}")
    import importlib

    importlib.import_module("tonearm.forks")
    value = getattr(importlib.import_module(f"tonearm.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
