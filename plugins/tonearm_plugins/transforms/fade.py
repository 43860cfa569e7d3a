"""``fade``: a fade-in at the beginning and a fade-out at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import BlockTransform, Context, Meta, Milliseconds, Spec, StartedTransform, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


@dataclass(frozen=True, kw_only=True)
class FadeOptions:
    """Options of ``fade``."""

    in_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Duration of the fade-in in ms.", examples=[20, "0.5 s"])
    ] = 10.0
    out_ms: Annotated[
        Milliseconds, Meta(ge=0, le=3_600_000, description="Duration of the fade-out in ms.", examples=[20, "0.5 s"])
    ] = 10.0
    shape: Annotated[
        Literal["linear", "cosine", "equal-power", "exponential"],
        Meta(
            description="Shape of the gain over time: linear, cosine (no corners), equal-power, exponential (linear"
            " in dB)."
        ),
    ] = "cosine"


class Fade(BlockTransform[Waveform, Waveform, FadeOptions]):
    """Fade in from silence and out to silence; if the waveform is shorter than both fades, both are shortened.

    A stream begins to leave once it is as long as both fades, and stays behind by the fade-out until it ends.
    """

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the fades at work, with their durations in samples."""
        rate = spec.sample_rate or 0
        rising = duration_in_samples(rate, ms=self.options.in_ms)
        falling = duration_in_samples(rate, ms=self.options.out_ms)
        return _StartedFade(rising, falling, self.options.shape)


class _StartedFade(StartedTransform):
    """The fades at work on one signal. Until it is as long as both, nobody knows whether they must be shortened."""

    def __init__(self, rising: int, falling: int, shape: str) -> None:
        from tonearm_plugins.dsp.blocks import Tail

        self._rising = rising
        self._falling = falling
        self._shape = shape
        self._has_begun = False
        self._waiting: list[Array] = []
        self._length = 0
        self._tail = Tail(falling)

    def push(self, block: Array) -> Array:
        """Return what is certainly before the fade-out."""
        import numpy as np

        if self._has_begun:
            return self._tail.push(block)
        self._waiting.append(block.copy())
        self._length += block.shape[1]
        if self._length < self._rising + self._falling:
            return block[:, :0]
        self._has_begun = True
        begun = np.concatenate(self._waiting, axis=1)
        self._waiting.clear()
        return self._tail.push(self._faded(begun, self._rising, 0))

    def finish(self) -> Array | None:
        """Return the fade-out; of a short signal, everything."""
        import numpy as np

        if self._has_begun:
            rest = self._tail.rest()
            return None if rest is None else self._faded(rest, 0, self._falling)
        return self._shortened(np.concatenate(self._waiting, axis=1)) if self._waiting else None

    def push_last(self, block: Array) -> Array:
        """Return the rest; a whole signal in one piece."""
        return super().push_last(block) if self._length else self._shortened(block)

    def _shortened(self, samples: Array) -> Array:
        """Return a copy of a whole signal with both fades, which are shortened if it is shorter."""
        rising, falling, length = self._rising, self._falling, samples.shape[1]
        both = rising + falling
        if both > length:
            rising, falling = (length * one // both for one in (rising, falling))
        return self._faded(samples.copy(), rising, falling)

    def _faded(self, samples: Array, rising: int, falling: int) -> Array:
        """Multiply the first and the last samples by the gains of the fades, in place."""
        from tonearm_plugins.dsp.fades import fade_in

        kind = samples.dtype
        samples[:, :rising] *= fade_in(rising, self._shape).astype(kind)
        samples[:, samples.shape[1] - falling :] *= fade_in(falling, self._shape)[::-1].astype(kind)
        return samples
