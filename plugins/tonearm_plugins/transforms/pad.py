"""``pad``: silence before and after a waveform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Duration, Meta, Milliseconds, OptionError, SetOption, Spec, Transform, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples, spec_with_length


@dataclass(frozen=True, kw_only=True)
class PadOptions:
    """Options of ``pad``."""

    before_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Silence before the sound in ms.", examples=[500, "1.5 s"])
    ] = 0.0
    after_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Silence after the sound in ms.", examples=[500, "1.5 s"])
    ] = 0.0
    min_seconds: Annotated[
        Duration | None,
        Meta(
            gt=0,
            le=86_400,
            description="Shortest duration in seconds, reached by silence at the end.",
            examples=[2.5, "1 min"],
        ),
    ] = None
    multiple: Annotated[
        int | None,
        Meta(ge=1, le=1 << 30, description="Divisor of the length in samples, reached by silence at the end."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield an error if no option asks for padding."""
        if not (self.before_ms or self.after_ms or self.min_seconds or self.multiple):
            remedies = (SetOption("after_ms", 100, "for example"),)
            hint = "or give before_ms, min_seconds or multiple"
            yield OptionError("no option says what to pad", remedies=remedies, hint=hint)


class Pad(Transform[Waveform, Waveform, PadOptions]):
    """Put silence before and after the sound, up to a duration, or up to a multiple of a number of samples."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the padded waveform."""
        import numpy as np

        before = duration_in_samples(signal.sample_rate, ms=self.options.before_ms)
        samples = np.zeros((signal.channels, self._length(signal.length, signal.sample_rate)), signal.samples.dtype)
        samples[:, before : before + signal.length] = signal.samples
        return Waveform(samples=samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec with the new length, if the old one is known."""
        return spec_with_length(spec, self._length)

    def _length(self, length: int, sample_rate: int) -> int:
        options = self.options
        length += duration_in_samples(sample_rate, ms=options.before_ms)
        length += duration_in_samples(sample_rate, ms=options.after_ms)
        if options.min_seconds is not None:
            length = max(length, duration_in_samples(sample_rate, seconds=options.min_seconds))
        multiple = options.multiple or 1
        return -(-length // multiple) * multiple
