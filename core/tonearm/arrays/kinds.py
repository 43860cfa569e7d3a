"""The kinds of array: the signal class and the axes of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from tonearm.recipes.mel import MelSpectrogram
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Signal, Waveform

KindName = Literal["waveform", "complex", "magnitude", "power", "db", "mel"]
AxisName = Literal["batch", "channel", "time", "bin", "mel", "frame", "complex"]


class Kind(Struct, frozen=True):
    """A kind of array.

    Parameters
    ----------
    signal
        Signal class of arrays of this kind.
    axes
        Required axes.
    """

    signal: type[Signal]
    axes: tuple[AxisName, ...]


KINDS: Mapping[KindName, Kind] = {
    "waveform": Kind(Waveform, ("time",)),
    "complex": Kind(ComplexSpectrogram, ("bin", "frame")),
    "magnitude": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "power": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "db": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "mel": Kind(MelSpectrogram, ("mel", "frame")),
}


def possible_axes(kind: KindName) -> tuple[AxisName, ...]:
    """Return the axes that an array of a kind can have."""
    return ("batch", "channel", *KINDS[kind].axes, *(("complex",) if kind == "complex" else ()))


def axes_hint(kind: KindName) -> str:
    """Return the hint about the axes of a kind."""
    return f"a {kind} array has {', '.join(KINDS[kind].axes)}, and may have batch and channel"
