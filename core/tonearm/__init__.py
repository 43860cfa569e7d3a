"""Turns what machine-learning models write into audio that people can hear.

>>> import tonearm
>>> pipeline = tonearm.load_pipeline("pipeline.yaml")  # doctest: +SKIP
>>> report = pipeline.run(["a.npy", "b.npy"], out="audio")  # doctest: +SKIP

Names are imported when they are first used: ``import tonearm`` alone costs nothing.
"""

from __future__ import annotations

from tonearm.version import __version__

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the time that Python itself takes to start
if TYPE_CHECKING:
    from typing import Any

    from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
    from tonearm.python import Pipeline, TonearmWarning, load_pipeline
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
    "Signal",
    "StftGrid",
    "TonearmError",
    "TonearmWarning",
    "UsageError",
    "Waveform",
    "__version__",
    "load_pipeline",
]

_ROOMS = ("errors", "signals", "recipes.mel", "python")


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name in __all__:
        import importlib

        for room in _ROOMS:
            module = importlib.import_module(f"tonearm.{room}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'tonearm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
