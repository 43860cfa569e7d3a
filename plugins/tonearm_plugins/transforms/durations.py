"""Durations in samples, and the length that a transform declares beforehand."""

from __future__ import annotations

from collections.abc import Callable

from tonearm.api import Spec, Waveform


def duration_in_samples(sample_rate: int, *, ms: float = 0.0, seconds: float = 0.0) -> int:
    """Return a duration in samples, rounded to the nearest.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    ms, seconds
        Duration in milliseconds and in seconds; both are added.
    """
    return round(sample_rate * (ms / 1000 + seconds))


def spec_with_length(spec: Spec, length: Callable[[int, int], int]) -> Spec:
    """Return the spec of a waveform whose length follows from that of the input.

    Parameters
    ----------
    spec
        Spec of the input.
    length
        Function that returns the new length for the old length and the sample rate. It is called if both are known.
    """
    if spec.length is None or spec.sample_rate is None:
        return spec.replace(signals=(Waveform,), length=None)
    return spec.replace(signals=(Waveform,), length=length(spec.length, spec.sample_rate))
