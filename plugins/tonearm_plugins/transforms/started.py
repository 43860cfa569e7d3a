"""Signal processing at work on one waveform, as a started transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tonearm.api import Context, StartedTransform

if TYPE_CHECKING:
    from tonearm_plugins.dsp.progress import OnProgress
    from tonearm_plugins.dsp.typing import Array


class Processor(Protocol):
    """An object of `tonearm_plugins.dsp` that takes a waveform in parts, such as `Resampler`."""

    def push(self, samples: Array, *, is_last: bool = False, on_progress: OnProgress | None = None) -> Array:
        """Return what another part makes complete, and all that is left if it is the last."""


class Started(StartedTransform):
    """A processor at work on one signal. If the signal comes whole, its progress is reported.

    Parameters
    ----------
    processor
        Object that does the work.
    context
        Context of the item.
    on_end
        Function called at the end, such as one that records a measurement.
    """

    def __init__(self, processor: Processor, context: Context, on_end: Callable[[], None] | None = None) -> None:
        self._processor = processor
        self._context = context
        self._on_end = on_end
        self._nothing: Array | None = None

    def push(self, block: Array) -> Array:
        """Return what the next block makes complete."""
        if self._nothing is None:
            self._nothing = block[:, :0].copy()
        return self._processor.push(block)

    def finish(self) -> Array | None:
        """Return what is left; None if no block has come."""
        return None if self._nothing is None else self._ended(self._nothing)

    def push_last(self, block: Array) -> Array:
        """Return what the last block makes complete, and what is left."""
        return self._ended(block, None if self._nothing is not None else self._context.progress)

    def _ended(self, block: Array, on_progress: OnProgress | None = None) -> Array:
        result = self._processor.push(block, is_last=True, on_progress=on_progress)
        if self._on_end:
            self._on_end()
        return result
