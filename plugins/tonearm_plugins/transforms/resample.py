"""``resample``: another sample rate, by libsoxr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

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

if TYPE_CHECKING:
    from tonearm_plugins.dsp.resampling import Resampler
    from tonearm_plugins.dsp.typing import Array


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

        return _StartedResample(Resampler(old, new, self.options.quality), context)

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


class _StartedResample(StartedTransform):
    """The resampler at work on one signal."""

    def __init__(self, resampler: Resampler, context: Context) -> None:
        self._resampler = resampler
        self._context = context

    def push(self, block: Array) -> Array:
        """Return the samples at the new rate that are complete."""
        return self._resampler.push(block)

    def finish(self) -> Array | None:
        """Return the samples that are left in the filter."""
        return self._resampler.finish()

    def push_last(self, block: Array) -> Array:
        """Return the whole signal at the new rate, and report the progress."""
        return self._resampler.push(block, is_last=True, on_progress=self._context.progress)
