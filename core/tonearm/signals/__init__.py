"""The values that flow between plugins: typed, immutable, and checked when they are made.

Arrays are channel first, float32 or complex64 (float64 and complex128 where ``precision: double`` or the file asks for
it). Nobody writes into an array that came from elsewhere. numpy is needed only for typing.
"""

from __future__ import annotations

from tonearm.signals.grid import (
    GRID_FIELDS,
    MAX_N_FFT,
    MAX_SAMPLE_RATE,
    Padding,
    PadMode,
    StftGrid,
    check_sample_rate,
)
from tonearm.signals.signal import Signal, check_array, check_length, describe
from tonearm.signals.spectrograms import ComplexSpectrogram, MagnitudeSpectrogram, Spectrogram
from tonearm.signals.waveform import Waveform

__all__ = [
    "GRID_FIELDS",
    "MAX_N_FFT",
    "MAX_SAMPLE_RATE",
    "ComplexSpectrogram",
    "MagnitudeSpectrogram",
    "PadMode",
    "Padding",
    "Signal",
    "Spectrogram",
    "StftGrid",
    "Waveform",
    "check_array",
    "check_length",
    "check_sample_rate",
    "describe",
]
