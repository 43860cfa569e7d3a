"""The options ``dither`` and ``seed``, and the samples that encoders take: rounded integers, or floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tonearm.errors import OptionError, RemoveOption
from tonearm.plugins.context import Context
from tonearm.signals import Waveform
from tonearm.writing.options import EncoderOptions

if TYPE_CHECKING:
    import numpy as np

Dither = Annotated[
    bool,
    Meta(
        description="Whether noise of triangular density (TPDF, within ±1 step) is added before rounding. Rounding"
        " then leaves a faint, even hiss in quiet sound instead of distortion."
    ),
]
Seed = Annotated[
    int,
    Meta(
        ge=0,
        description="Seed for the dither: the same seed gives the same file.",
        extra={"changes_output": {"dither": [True]}},
    ),
]


BLOCK_LENGTH = 1 << 17
"""Samples of a block over all channels: they stay in the cache of a core, even in float64."""


def samples_per_block(channels: int) -> int:
    """Return the samples of each channel in a block whose channels are converted together.

    Parameters
    ----------
    channels
        Number of channels.

    Returns
    -------
    int
        Length of a block that has `BLOCK_LENGTH` samples over all channels, at least 1.

    Examples
    --------
    >>> samples_per_block(2)
    65536
    """
    return max(1, BLOCK_LENGTH // channels)


def block_slices_of(signal: Waveform) -> Iterator[slice]:
    """Yield consecutive slices of a waveform's samples, one for each block."""
    step = samples_per_block(signal.channels)
    for start in range(0, signal.length, step):
        yield slice(start, min(start + step, signal.length))


@dataclass(frozen=True, kw_only=True)
class PcmOptions(EncoderOptions):
    """Options of an encoder that rounds samples to integers."""

    dither: Dither = False
    seed: Seed = 0

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for dither with samples that are not rounded."""
        floats = self.float_format()
        if self.dither and floats:
            message = f"dither is only for integers, and {floats} is a float format"
            yield OptionError(message, option="dither", remedies=(RemoveOption("dither"),))
        yield from super().problems()

    def float_format(self) -> str:
        """Return the name of the float format that the options choose, by ``subtype``; empty for integers."""
        subtype: str = getattr(self, "subtype", "PCM")
        return "" if subtype.startswith("PCM") else subtype

    def generator(self, context: Context) -> np.random.Generator | None:
        """Return the generator of the dither; None if the options ask for none."""
        return context.rng(self.seed) if self.dither else None


class PcmRounding:
    """Rounding of blocks to integers, with a count of the samples beyond full scale.

    Parameters
    ----------
    bits
        Bits of a sample, 2 to 32.
    dither
        Generator of the dither, as for `quantize`.
    """

    def __init__(self, bits: int, dither: np.random.Generator | None = None) -> None:
        self.bits = bits
        self.dither = dither
        self.clipped = 0

    def __call__(self, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return a block (channels, samples) of floats as integers (samples, channels), contiguous.

        They are int16 for up to 16 bits, and int32 above. The value is in the *high* bits: full scale is that of the
        type, as libsndfile and ffmpeg take it.
        """
        import numpy as np

        from tonearm.writing.rounding import quantize

        values, beyond = quantize(block, self.bits, self.dither)
        self.clipped += beyond
        shifted: np.ndarray[Any, Any] = np.ascontiguousarray(values.T) << (8 * values.dtype.itemsize - self.bits)
        return shifted


def pcm_blocks(
    signal: Waveform,
    bits: int,
    context: Context,
    dither: np.random.Generator | None = None,
    *,
    reports: bool = True,
) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a waveform rounded to integers, block by block, and report clipped samples at the end.

    Parameters
    ----------
    signal
        Waveform; if it is mapped, only one block of it is read at a time.
    bits
        Bits of a sample, 2 to 32.
    context
        Context that takes the progress and the number of clipped samples.
    dither
        Generator of the dither, as for `quantize`.
    reports
        Whether each block is reported as progress when it has been taken; False where the work comes afterwards.

    Yields
    ------
    block
        Integers (samples, channels), contiguous; int16 for up to 16 bits, and int32 above. The value is in the *high*
        bits: full scale is that of the type, as libsndfile and ffmpeg take it.
    """
    rounding = PcmRounding(bits, dither)
    for part in block_slices_of(signal):
        yield rounding(signal.samples[:, part])
        if reports:
            context.progress(part.stop, signal.length)
    note_clipped(rounding.clipped, context)


def float_blocks(signal: Waveform, dtype: str, context: Context) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a waveform as floats, block by block, and report progress.

    Parameters
    ----------
    signal
        Waveform; if it is mapped, only one block of it is read at a time.
    dtype
        Type of the floats: ``<f4``.
    context
        Context that takes the progress.

    Yields
    ------
    block
        Floats (samples, channels), contiguous.
    """
    import numpy as np

    for part in block_slices_of(signal):
        yield np.ascontiguousarray(signal.samples[:, part].T, dtype)
        context.progress(part.stop, signal.length)


def note_clipped(clipped: int, context: Context) -> None:
    """Measure the number of samples beyond full scale, and warn of them; nothing if there are none.

    Parameters
    ----------
    clipped
        Number of samples that were clipped.
    context
        Context that takes the measurement and the warning.
    """
    if clipped:
        context.measure(clipped=clipped)
        context.warn(f"{clipped} samples were beyond full scale and clipped")
