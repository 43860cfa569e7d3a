"""``pad``: silence before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, OptionError, Spec, Transform, Waveform
from tonearm_plugins.transforms.durations import samples_in, with_length


@dataclass(frozen=True, kw_only=True)
class PadOptions:
    """Options of ``pad``."""

    before_ms: Annotated[float, Meta(ge=0, le=3_600_000, description="Silence before it, in ms.")] = 0.0
    after_ms: Annotated[float, Meta(ge=0, le=3_600_000, description="Silence after it, in ms.")] = 0.0
    min_seconds: Annotated[
        float | None, Meta(gt=0, le=86_400, description="More silence after it, until it lasts so long.")
    ] = None
    multiple: Annotated[
        int | None, Meta(ge=1, le=1 << 30, description="And more, up to a multiple of so many samples.")
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield that nothing is to be done, if so."""
        if not (self.before_ms or self.after_ms or self.min_seconds or self.multiple):
            yield OptionError("nothing says what to pad", hint="before_ms, after_ms, min_seconds or multiple")


class Pad(Transform[Waveform, Waveform, PadOptions]):
    """Put silence before and after, up to a duration, or up to a multiple of a number of samples."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the longer waveform."""
        import numpy as np

        before = samples_in(signal.sample_rate, ms=self.options.before_ms)
        samples = np.zeros((signal.channels, self._length(signal.length, signal.sample_rate)), signal.samples.dtype)
        samples[:, before : before + signal.length] = signal.samples
        return Waveform(samples=samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the new length, where the old one is known."""
        return with_length(spec, self._length)

    def _length(self, length: int, sample_rate: int) -> int:
        options = self.options
        length += samples_in(sample_rate, ms=options.before_ms) + samples_in(sample_rate, ms=options.after_ms)
        if options.min_seconds is not None:
            length = max(length, samples_in(sample_rate, seconds=options.min_seconds))
        multiple = options.multiple or 1
        return -(-length // multiple) * multiple
