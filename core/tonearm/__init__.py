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
    from tonearm.errors.warning import TonearmWarning
    from tonearm.python import Pipeline, encode, load_pipeline, read, save, to_waveform
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

_MODULES = ("errors", "errors.warning", "signals", "recipes.mel", "conversion.saved", "python")
"""Modules that define the public names."""


def __getattr__(name: str) -> Any:
    """Import a public name."""
    if name in __all__:
        import importlib

        for path in _MODULES:
            module = importlib.import_module(f"tonearm.{path}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'tonearm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
