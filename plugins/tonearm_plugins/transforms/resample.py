"""``resample``: another sample rate, by libsoxr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    MAX_SAMPLE_RATE,
    BlockTransform,
    Context,
    EachBlock,
    Meta,
    OptionError,
    SetOption,
    Spec,
    StartedTransform,
    Waveform,
)
from tonearm_plugins.transforms.durations import spec_with_length
from tonearm_plugins.transforms.started import Started


@dataclass(frozen=True, kw_only=True)
class ResampleOptions:
    """Options of ``resample``."""

    sample_rate: Annotated[
        int, Meta(ge=1, le=MAX_SAMPLE_RATE, description="Sample rate of the result in Hz.", examples=[16000, 44100])
    ]
    quality: Annotated[
        Literal["quick", "low", "medium", "high", "very-high"],
        Meta(
            description="Quality of the filter: high leaves an error 110 dB below the sound, beyond 16-bit files,"
            " very-high 150 dB, in double precision (110 dB if the rates have no ratio of small numbers, such as 44100"
            " and 44101); quick and low let aliases through."
        ),
    ] = "high"


class Resample(BlockTransform[Waveform, Waveform, ResampleOptions]):
    """Change the sample rate; n samples become ⌈n · new / old⌉, and nothing changes if the rates are equal."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the resampler at work, in the precision of the waveform."""
        old, new = spec.sample_rate or 0, self.options.sample_rate
        if old == new:
            return EachBlock(lambda block: block)
        from tonearm_plugins.dsp.resampling import Resampler

        return Started(Resampler(old, new, self.options.quality, threads=context.threads), context)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec with the new rate, and with the new length if the old one is known."""
        from tonearm_plugins.dsp.resampling import resampled_length

        rate, quality = self.options.sample_rate, self.options.quality
        if spec.precision == "double" and quality != "very-high" and spec.sample_rate != rate:
            raise OptionError(
                f"the quality {quality} computes in single precision, but the input has precision: double",
                option="quality",
                code="loses-precision",
                remedies=(SetOption("quality", "very-high"), SetOption("precision", "single", stage="input")),
            )
        return spec_with_length(spec, lambda length, old: resampled_length(length, old, rate)).replace(sample_rate=rate)
