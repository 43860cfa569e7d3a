"""The Python interface: one call from an array to a file, streams, and pipelines."""

from tonearm.python.audio_input import AudioInput
from tonearm.python.functions import encode, read, save, to_waveform
from tonearm.python.pipeline import Pipeline, load_pipeline

__all__ = ["AudioInput", "Pipeline", "encode", "load_pipeline", "read", "save", "to_waveform"]
