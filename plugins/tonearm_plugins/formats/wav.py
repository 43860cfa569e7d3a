"""WAV files: samples are rounded, never floored or wrapped around, and a file beyond 4 GiB is RF64.

The header is complete before the first sample is written, so that the file need not be able to seek.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import rounding, samples_per_block
from tonearm_plugins.formats.wav_header import BITS, Chunk, Form, Subtype, frame

if TYPE_CHECKING:
    import numpy as np

    from tonearm_plugins.dsp.typing import Array


SHORT_BLOCK = 40_960
"""Samples of a block of a short sound over all channels. One block would push the interpreter out of the cache: saving
a sound of 3 s would take an eighth longer. Long sounds are faster in long blocks."""


@dataclass(frozen=True)
class WavStats:
    """Statistics of a written file.

    Parameters
    ----------
    clipped
        Number of samples beyond ±1.0 that were clipped; always 0 for FLOAT and DOUBLE, which keep them.
    peak
        Largest magnitude of the samples before clipping; full scale is 1.0.
    bytes
        Size of the whole file.
    """

    clipped: int
    peak: float
    bytes: int


def write_wav(
    file: BinaryIO,
    blocks: Iterable[Array] | Array,
    *,
    sample_rate: int,
    channels: int,
    frames: int,
    subtype: Subtype = "PCM_16",
    form: Form = "auto",
    before: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
    dither: np.random.Generator | None = None,
    on_progress: Callable[[float, float], None] | None = None,
) -> WavStats:
    """Write a WAV file in one pass, with memory that does not depend on its length.

    Parameters
    ----------
    file
        Binary file, open for writing; it need not be able to seek.
    blocks
        Samples (channels, n), float32 or float64 with full scale ±1.0: several arrays or one. A mapped array is read
        block by block.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels, 1 to 65535 / bytes of a sample.
    frames
        Samples of each channel, over all blocks.
    subtype
        Sample format. PCM is rounded as by `quantize`; FLOAT and DOUBLE keep samples beyond ±1.0.
    form, before, after
        Format and additional chunks, as for `frame`.
    dither
        Generator of the dither of PCM, as for `quantize`.
    on_progress
        Function called with the frames that are written, and all frames.

    Returns
    -------
    WavStats
        Number of clipped samples, peak, and size.

    Raises
    ------
    ValueError
        A sample is NaN or infinite, the blocks do not have the given channels or frames, or the header cannot hold the
        numbers. The file is then incomplete.
    """
    import numpy as np

    around = frame(sample_rate, channels, frames, subtype, form, before=before, after=after)
    _write(file, memoryview(around.start))
    step = samples_per_block(channels)
    if frames <= step and dither is None:  # the noise of the dither depends on the length of the blocks
        step = max(1, SHORT_BLOCK // channels)
    convert = _Converter(subtype, channels, step, dither)
    done, clipped, peak = 0, 0, 0.0
    for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
        rounding.check_type(block)
        if block.ndim != 2 or block.shape[0] != channels:
            raise ValueError(f"blocks must have the shape ({channels}, n), not {block.shape}")
        if done + block.shape[1] > frames:
            raise ValueError(f"there are more samples than the {frames} frames that were announced")
        for part in _parts(block, step):
            low, high = rounding.finite_extent(part)
            _write(file, convert(part, low, high))
            peak = max(peak, high, -low)
            if convert.pcm:
                clipped += rounding.beyond(part, low, high)
            done += part.shape[1]
            if on_progress:
                on_progress(done, frames)
    if done != frames:
        raise ValueError(f"{frames} frames were announced, but there are {done}")
    _write(file, memoryview(around.end))
    return WavStats(clipped, peak, around.total)


class _Converter:
    """Converter of samples (channels, n) to the bytes of n interleaved frames, in buffers that are allocated once."""

    def __init__(self, subtype: Subtype, channels: int, step: int, dither: np.random.Generator | None) -> None:
        import numpy as np

        self.pcm = subtype.startswith("PCM")
        self.bits = BITS[subtype]
        self.channels = channels
        self.step = step
        self.dither = dither
        kinds = {"PCM_16": "<i2", "PCM_24": "<i4", "PCM_32": "<i4", "FLOAT": "<f4", "DOUBLE": "<f8"}
        self.out = np.empty((step, channels), kinds[subtype])
        self.packed = np.empty((step * channels, 3), np.uint8) if subtype == "PCM_24" else None
        self.spare = np.empty((2, step), "<i4") if (channels, subtype) == (2, "PCM_16") else None
        self.work: Array | None = None

    def __call__(self, part: Array, low: float, high: float) -> memoryview:
        """Convert up to ``step`` frames; the result is valid until the next call."""
        import numpy as np

        length = part.shape[1]
        out = self.out[:length]
        if self.pcm:
            kind = rounding.work_type(part, self.bits, self.dither)
            if self.work is None or self.work.dtype != kind:
                self.work = np.empty((self.channels, self.step), kind)
            spare = None if self.spare is None else self.spare[:, :length]
            rounding.round_into(out.T, part, self.bits, low, high, self.work[:, :length], self.dither, spare)
        else:
            if out.dtype.itemsize == 4 and max(high, -low) > float(np.finfo(np.float32).max):
                raise ValueError(f"a sample of {max(high, -low):g} is beyond what FLOAT can hold")
            rounding.interleave(out.T, part)
        if self.packed is not None:
            packed, wide = self.packed[: out.size], out.view(np.uint8).reshape(-1, 4)
            for byte in range(3):
                packed[:, byte] = wide[:, byte]
            out = packed
        return memoryview(out.reshape(-1).view(np.uint8).data)


def _parts(block: Array, step: int) -> Iterator[Array]:
    for at in range(0, block.shape[1], step):
        yield block[:, at : at + step]


def _write(file: BinaryIO, data: memoryview) -> None:
    """Write all data, even to an unbuffered file, which may take less at a time."""
    while len(data):
        data = data[file.write(data) :]
