"""The Python interface: one call from an array to a file, and pipelines."""

from tonearm.python.functions import encode, read, save, to_waveform
from tonearm.python.pipeline import Pipeline, TonearmWarning, load_pipeline

__all__ = ["Pipeline", "TonearmWarning", "encode", "load_pipeline", "read", "save", "to_waveform"]
