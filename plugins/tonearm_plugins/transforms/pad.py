"""``pad``: silence before and after a waveform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tonearm.api import (
    BlockTransform,
    Context,
    Duration,
    Meta,
    Milliseconds,
    OptionError,
    SetOption,
    Spec,
    StartedTransform,
    Waveform,
)
from tonearm_plugins.transforms.durations import duration_in_samples, spec_with_length

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


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


class Pad(BlockTransform[Waveform, Waveform, PadOptions]):
    """Put silence before and after the sound, up to a duration, or up to a multiple of a number of samples."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the padding at work."""
        rate = spec.sample_rate or 0
        before = duration_in_samples(rate, ms=self.options.before_ms)
        return _StartedPad(before, lambda length: self._length(length, rate))

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


class _StartedPad(StartedTransform):
    """The padding at work on one signal.

    Parameters
    ----------
    before
        Number of samples of silence before the sound.
    padded
        Function that returns the length of the result for that of the sound.
    """

    def __init__(self, before: int, padded: Callable[[int], int]) -> None:
        self._before = before
        self._padded = padded
        self._length = 0
        self._nothing: Array | None = None

    def push(self, block: Array) -> Array:
        """Return the block, with the silence before it if it is the first."""
        import numpy as np

        self._length += block.shape[1]
        if self._nothing is not None:
            return block
        self._nothing = np.zeros((block.shape[0], 0), block.dtype)
        silence = np.zeros((block.shape[0], self._before), block.dtype)
        return np.concatenate((silence, block), axis=1) if self._before else block

    def finish(self) -> Array | None:
        """Return the silence after the sound."""
        import numpy as np

        if self._nothing is None:
            return None
        after = self._padded(self._length) - self._before - self._length
        return np.zeros((self._nothing.shape[0], after), self._nothing.dtype)

    def push_last(self, block: Array) -> Array:
        """Return the rest; a whole signal with the silence round it, in one piece."""
        import numpy as np

        if self._nothing is not None:
            return super().push_last(block)
        length = block.shape[1]
        result = np.zeros((block.shape[0], self._padded(length)), block.dtype)
        result[:, self._before : self._before + length] = block
        return result
