"""Signals: the typed, immutable values that flow between plugins, checked when they are created.

Arrays are channel first, float32 or complex64; float64 and complex128 if ``precision: double`` or the file requires it.
Plugins never write into an array that they did not create. These modules need numpy only for type annotations.
"""

from __future__ import annotations

from tonearm.signals.grid import (
    CONVENTION_FIELDS,
    GRID_FIELDS,
    MAX_N_FFT,
    MAX_SAMPLE_RATE,
    Padding,
    PadMode,
    StftGrid,
    check_sample_rate,
)
from tonearm.signals.latents import LatentFormat, Latents
from tonearm.signals.signal import Signal, check_array, check_length, describe
from tonearm.signals.spectrograms import ComplexSpectrogram, FramedSignal, MagnitudeSpectrogram, Spectrogram
from tonearm.signals.tokens import Codebooks, CodecTokens, OriginalSound
from tonearm.signals.waveform import MAX_AMPLITUDE, Waveform

__all__ = [
    "CONVENTION_FIELDS",
    "GRID_FIELDS",
    "MAX_AMPLITUDE",
    "MAX_N_FFT",
    "MAX_SAMPLE_RATE",
    "Codebooks",
    "CodecTokens",
    "ComplexSpectrogram",
    "FramedSignal",
    "LatentFormat",
    "Latents",
    "MagnitudeSpectrogram",
    "OriginalSound",
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
