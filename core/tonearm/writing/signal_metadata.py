"""Metadata of signals in plain values, for files that hold arrays and for the JSON beside a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.recipes.mel import MelSpectrogram
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, Waveform

if TYPE_CHECKING:
    import numpy as np

AXES = {
    "waveform": ["channel", "time"],
    "complex": ["channel", "bin", "frame"],
    "magnitude": ["channel", "bin", "frame"],
    "mel": ["channel", "mel", "frame"],
}
"""Axes of the array of a signal, by its port."""


def frames_first(signal: Signal) -> bool:
    """Return whether files have frames before bands: a mel spectrogram is written as its family writes it."""
    return isinstance(signal, MelSpectrogram) and signal.dialect.layout == "frames-mels"


def as_written(signal: Signal) -> list[np.ndarray[Any, Any]]:
    """Return the arrays of a signal, with axes in the order of files.

    Parameters
    ----------
    signal
        Signal.

    Returns
    -------
    list of ndarray
        Arrays as the signal has them; a mel spectrogram as its family writes it.
    """
    if not frames_first(signal):
        return list(signal.arrays())
    return [array.swapaxes(-1, -2).copy(order="C") for array in signal.arrays()]


def described(signal: Signal) -> dict[str, Any]:
    """Return the options with which a reader of arrays restores a signal.

    Parameters
    ----------
    signal
        Signal.

    Returns
    -------
    dict
        Options by name, in plain values: ``kind``, ``axes``, ``sample_rate`` and others. For a signal of a third
        party, its name alone.
    """
    import msgspec

    found: dict[str, Any] = {"kind": signal.port}
    if signal.port in AXES:
        found["axes"] = AXES[signal.port]
    if isinstance(signal, Waveform):
        return found | {"sample_rate": signal.sample_rate}
    if isinstance(signal, (ComplexSpectrogram, MagnitudeSpectrogram)):
        found |= msgspec.to_builtins(signal.grid.described())
    elif isinstance(signal, MelSpectrogram):
        found["dialect"] = msgspec.to_builtins(signal.dialect)
        if frames_first(signal):
            found["axes"] = ["channel", "frame", "mel"]
    else:
        return found
    return found | ({} if signal.length is None else {"length": signal.length})
