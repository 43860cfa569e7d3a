"""Times that users give, in samples, and what is known of lengths beforehand."""

from __future__ import annotations

from collections.abc import Callable

from tonearm.api import Spec, Waveform


def samples_in(sample_rate: int, *, ms: float = 0.0, seconds: float = 0.0) -> int:
    """Return how many samples a time takes, rounded to the nearest."""
    return round(sample_rate * (ms / 1000 + seconds))


def with_length(spec: Spec, length: Callable[[int, int], int]) -> Spec:
    """Return what is known of a waveform whose length follows from what comes in.

    Parameters
    ----------
    spec
        What is known of the input.
    length
        Returns the new length from the old one and the sample rate.
    """
    known = spec.length is not None and spec.sample_rate is not None
    new = length(spec.length, spec.sample_rate) if known else None  # type: ignore[arg-type]
    return spec.but(signals=(Waveform,), length=new)
