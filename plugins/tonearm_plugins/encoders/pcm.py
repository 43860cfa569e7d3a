"""Whole numbers for those codecs that take them, rounded in one place, with what was clipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.api import Context, Waveform

if TYPE_CHECKING:
    import numpy as np


def pcm_blocks(signal: Waveform, bits: int, context: Context) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a waveform rounded to integers, block by block, and say at the end what was clipped.

    Parameters
    ----------
    signal
        The waveform; of a mapped one only a block is touched at a time.
    bits
        2 to 32.
    context
        Takes the number of clipped samples.

    Yields
    ------
    block
        (samples, channels), contiguous; int16 for up to 16 bits and int32 above, the value in the *high* bits, so that
        full scale is that of the type, as libsndfile and ffmpeg take it.
    """
    import numpy as np

    from tonearm_plugins.formats.riff import BLOCK, quantize

    step, clipped = max(1, BLOCK // signal.channels), 0
    for start in range(0, signal.length, step):
        values, beyond = quantize(signal.samples[:, start : start + step], bits)
        clipped += beyond
        yield np.ascontiguousarray(values.T) << (8 * values.dtype.itemsize - bits)
    note_clipped(clipped, context)


def note_clipped(clipped: int, context: Context) -> None:
    """Measure and warn of samples that were beyond full scale, if any were."""
    if clipped:
        context.measure(clipped=clipped)
        context.warn(f"{clipped} samples were beyond full scale and clipped")
