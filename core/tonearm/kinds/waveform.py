"""``kind: waveform``: samples over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from tonearm.arrays.extent import traits_of
from tonearm.errors import OptionError
from tonearm.kinds.grid_options import SampledOptions, missing_rate
from tonearm.kinds.scale import to_full_scale
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits, Kind
from tonearm.plugins.ports import Spec
from tonearm.signals import Waveform

if TYPE_CHECKING:
    from tonearm.typing import Array


@dataclass(frozen=True, kw_only=True)
class WaveformOptions(SampledOptions):
    """Options of waveforms."""

    full_scale: Annotated[
        float | None,
        Meta(
            description="Value of full scale in the array: 32768 for floats that hold 16-bit samples. For unsigned"
            " integers it is also the middle. 1 keeps whole numbers as they are, for mu-law-decode.",
            gt=0,
        ),
    ] = None


class WaveformKind(Kind[Waveform, WaveformOptions]):
    """Samples over time; integers by their full scale."""

    axes = ("time",)
    dtype = "stored"
    limit = math.inf  # the scale has its own

    def spec(self) -> Spec:
        """Return the sample rate."""
        return Spec(signals=(Waveform,), sample_rate=self.options.sample_rate)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield the problem of a missing sample rate, and contradictions of the axes."""
        if self.options.sample_rate is None:
            yield missing_rate()
        yield from super().problems(axes)

    def read(self, values: Array, context: Context) -> Waveform:
        """Return the waveform."""
        return self.read_known(values, traits_of(values), context)

    def read_known(self, values: Array, traits: ArrayTraits, context: Context) -> Waveform:
        """Return the waveform, with full scale at ±1.0."""
        from tonearm.kinds.doubts import (
            doubt_rate,
            doubt_samples,
            doubt_waveform,
        )  # not at the top: `check` reads no array

        if self.options.full_scale is None:
            doubt_samples(values, traits, context)
        doubt_rate(self.options.sample_rate, context)
        samples = to_full_scale(values, self.options.full_scale, traits)
        if not context.doubts:
            doubt_waveform(samples, context, positive=traits.low >= 0 and values.dtype.kind == "f")
        return Waveform(samples=samples, sample_rate=self.options.sample_rate or 0)
