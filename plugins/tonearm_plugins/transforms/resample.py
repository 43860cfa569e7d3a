"""``resample``: another sample rate, by soxr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Spec, Transform, Waveform

QUALITIES = {"quick": "QQ", "low": "LQ", "medium": "MQ", "high": "HQ", "very-high": "VHQ"}


@dataclass(frozen=True, kw_only=True)
class ResampleOptions:
    """Options of ``resample``."""

    sample_rate: Annotated[int, Meta(ge=1, le=10_000_000, description="Of the result, in Hz.")]
    quality: Annotated[
        Literal["quick", "low", "medium", "high", "very-high"],
        Meta(description="Of soxr: high keeps 16 bits clean, very-high 20."),
    ] = "high"


class Resample(Transform[Waveform, Waveform, ResampleOptions]):
    """Convert to another sample rate; n samples become n × new rate / old rate, rounded."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform at the new rate; the same one if it has that rate already."""
        import numpy as np
        import soxr

        rate = self.options.sample_rate
        if signal.sample_rate == rate:
            return signal
        found = soxr.resample(signal.samples.T, signal.sample_rate, rate, quality=QUALITIES[self.options.quality]).T
        # soxr rounds a length by itself now up, now down.
        length = new_length(signal.length, signal.sample_rate, rate)
        samples = np.zeros((signal.channels, length), dtype=signal.samples.dtype)
        kept = min(length, found.shape[1])
        samples[:, :kept] = found[:, :kept]
        return Waveform(samples=samples, sample_rate=rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the new rate, with its length if that of the input is known."""
        rate = self.options.sample_rate
        known = spec.length is not None and spec.sample_rate is not None
        length = new_length(spec.length or 0, spec.sample_rate or 1, rate) if known else None
        return spec.but(signals=(Waveform,), sample_rate=rate, length=length)


def new_length(length: int, old: int, new: int) -> int:
    """Return the number of samples at another rate: rounded, halves up, at least one."""
    return max((2 * length * new + old) // (2 * old), 1)
