"""Whole numbers for those codecs that take them, rounded in one place, with what was clipped; and the option dither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from tonearm.api import Context, Meta, OptionError, Waveform
from tonearm_plugins.dsp.blocks import block_slices, samples_per_block

if TYPE_CHECKING:
    import numpy as np

Dither = Annotated[
    bool,
    Meta(
        description="Add noise of triangular density (TPDF, within ±1 step) before rounding, so that what rounding does"
        " to quiet sound is a faint even hiss and no distortion."
    ),
]
Seed = Annotated[int, Meta(ge=0, description="Of the dither: the same seed gives the same file.")]


class Dithered(Protocol):
    """Options that have both."""

    @property
    def dither(self) -> bool:
        """Whether to dither."""

    @property
    def seed(self) -> int:
        """Of the noise."""


def dither_of(options: Dithered, context: Context) -> np.random.Generator | None:
    """Return what gives the noise that options ask for, if they do."""
    return context.rng(options.seed) if options.dither else None


def dither_problems(options: Dithered, subtype: str) -> Iterator[OptionError]:
    """Yield what is wrong with dither where nothing is rounded."""
    if options.dither and not subtype.startswith(("PCM", "pcm")):
        yield OptionError(
            f"dither is for what is rounded, but {subtype} is not", option="dither", hint="leave dither out"
        )


def pcm_blocks(
    signal: Waveform, bits: int, context: Context, dither: np.random.Generator | None = None
) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a waveform rounded to integers, block by block, and say at the end what was clipped.

    Parameters
    ----------
    signal
        The waveform; of a mapped one only a block is touched at a time.
    bits
        2 to 32.
    context
        Takes the number of clipped samples.
    dither
        As `quantize` takes it.

    Yields
    ------
    block
        (samples, channels), contiguous; int16 for up to 16 bits and int32 above, the value in the *high* bits, so that
        full scale is that of the type, as libsndfile and ffmpeg take it.
    """
    import numpy as np

    from tonearm_plugins.formats.rounding import quantize

    clipped = 0
    for part in block_slices(signal.length, samples_per_block(signal.channels)):
        values, beyond = quantize(signal.samples[:, part], bits, dither)
        clipped += beyond
        yield np.ascontiguousarray(values.T) << (8 * values.dtype.itemsize - bits)
    note_clipped(clipped, context)


def float_blocks(signal: Waveform, dtype: str) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a waveform as floats of a type, block by block: (samples, channels), contiguous."""
    import numpy as np

    for part in block_slices(signal.length, samples_per_block(signal.channels)):
        yield np.ascontiguousarray(signal.samples[:, part].T, dtype)


def note_clipped(clipped: int, context: Context) -> None:
    """Measure and warn of samples that were beyond full scale, if any were."""
    if clipped:
        context.measure(clipped=clipped)
        context.warn(f"{clipped} samples were beyond full scale and clipped")
