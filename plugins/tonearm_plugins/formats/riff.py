"""Writing WAV: samples are rounded, never floored or wrapped, and past 4 GiB the file is RF64, never a wrapped header.

The header follows Microsoft's multiple-channel note (WAVE_FORMAT_EXTENSIBLE for more than two channels or more than 16
bits of PCM) and EBU Tech 3306 (RF64). Its size is known before the first sample, so nothing is ever patched: a pipe
would do as well as a file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Subtype = Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]

BITS: dict[str, int] = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
MAX_RIFF = 0xFFFFFFFF  # what the size field of a RIFF header can say
BLOCK = 1 << 17  # samples, over all channels, that are converted at a time: small enough to stay in the cache

_PCM, _IEEE_FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
# Front centre; left and right; 3.0; quad; 5.0; 5.1; 6.1; 7.1. More channels have no places (0).
_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}


@dataclass(frozen=True)
class WavStats:
    """What was written.

    Parameters
    ----------
    clipped
        Samples beyond ±1.0 that were limited to full scale; always 0 for FLOAT and DOUBLE, which keep them.
    peak
        The largest magnitude of the samples as they came, 1.0 being full scale.
    bytes
        The size of the whole file.
    """

    clipped: int
    peak: float
    bytes: int


def quantize(block: Array, bits: int) -> tuple[Array, int]:
    """Round samples to integers: the nearest one, halves to the even one, limited to the range and never wrapped.

    libsndfile and numpy's casts both floor; so whatever writes integers, FLAC and MP3 too, takes them from here.

    Parameters
    ----------
    block
        float32 or float64 of any shape; full scale is ±1.0, which is ±2^(bits−1).
    bits
        2 to 32.

    Returns
    -------
    values
        The same shape; int16 for up to 16 bits and int32 above, the value in the low bits (libsndfile wants 24 bits in
        the high ones of an int32: shift by 8).
    clipped
        How many samples were beyond ±1.0. +1.0 itself, and what rounds to it, becomes the largest value and does not
        count: no positive integer stands for it.

    Raises
    ------
    ValueError
        A sample is NaN or infinite, or ``bits`` is out of range.
    """
    import numpy as np

    if not 2 <= bits <= 32:
        raise ValueError(f"bits must be 2 to 32, not {bits}")
    _check_type(block)
    low, high = _extent(block)
    out = np.empty(block.shape, np.int16 if bits <= 16 else np.int32)
    work = np.empty(block.shape, _work_type(block, bits))
    _round(block, bits, low, high, work, out)
    return out, _beyond(block, low, high)


def write_wav(
    file: BinaryIO,
    blocks: Iterable[Array] | Array,
    *,
    sample_rate: int,
    channels: int,
    frames: int,
    subtype: Subtype = "PCM_16",
    rf64: bool | Literal["auto"] = "auto",
) -> WavStats:
    """Write a WAV file in one go, in memory that does not depend on its length.

    Parameters
    ----------
    file
        Open for writing, binary; it need not seek.
    blocks
        Samples, channel first: arrays (channels, n) of float32 or float64 with full scale ±1.0, or one such array. Of a
        mapped array only a block is touched at a time.
    sample_rate
        In Hz.
    channels
        1 to 65535 / bytes per sample.
    frames
        Samples of each channel, over all blocks.
    subtype
        PCM is rounded as `quantize` does; FLOAT and DOUBLE keep what is beyond ±1.0.
    rf64
        True writes RF64 whatever the size, "auto" as soon as the RIFF size would pass 2^32 − 1, and False never.

    Returns
    -------
    WavStats
        Clipped samples, peak, and size.

    Raises
    ------
    ValueError
        A sample is NaN or infinite, the blocks do not have the channels or frames that were said, or the header cannot
        hold the numbers. What was written till then is not a whole file.
    """
    import numpy as np

    start, end, total = _frame(sample_rate, channels, frames, subtype, rf64)
    _write(file, memoryview(start))
    step = max(1, BLOCK // channels)
    convert = _Converter(subtype, channels, step)
    done, clipped, peak = 0, 0, 0.0
    for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
        _check_type(block)
        if block.ndim != 2 or block.shape[0] != channels:
            raise ValueError(f"blocks must have the shape ({channels}, n), not {block.shape}")
        if done + block.shape[1] > frames:
            raise ValueError(f"more samples came than the {frames} frames that were said")
        for part in _parts(block, step):
            low, high = _extent(part)
            _write(file, convert(part, low, high))
            peak = max(peak, high, -low)
            if convert.pcm:
                clipped += _beyond(part, low, high)
        done += block.shape[1]
    if done != frames:
        raise ValueError(f"{frames} frames were said, but {done} came")
    _write(file, memoryview(end))
    return WavStats(clipped, peak, total)


class _Converter:
    """Turns (channels, n) samples into the bytes of n interleaved frames, in buffers made once."""

    def __init__(self, subtype: Subtype, channels: int, step: int) -> None:
        import numpy as np

        self.pcm = subtype.startswith("PCM")
        self.bits = BITS[subtype]
        self.channels = channels
        self.step = step
        kinds = {"PCM_16": "<i2", "PCM_24": "<i4", "PCM_32": "<i4", "FLOAT": "<f4", "DOUBLE": "<f8"}
        self.out = np.empty(step * channels, kinds[subtype])
        self.packed = np.empty((step * channels, 3), np.uint8) if subtype == "PCM_24" else None
        self.work: Array | None = None

    def __call__(self, part: Array, low: float, high: float) -> memoryview:
        """Convert up to ``step`` frames; what is returned is valid until the next call."""
        import numpy as np

        length = part.shape[1]
        out = self.out[: length * self.channels]
        frames = out.reshape(length, self.channels).T
        if self.pcm:
            kind = _work_type(part, self.bits)
            if self.work is None or self.work.dtype != kind:
                self.work = np.empty(self.step * self.channels, kind)
            work = self.work[: length * self.channels].reshape(self.channels, length)
            _round(part, self.bits, low, high, work, frames)
        else:
            if out.dtype.itemsize == 4 and max(high, -low) > float(np.finfo(np.float32).max):
                raise ValueError(f"a sample of {max(high, -low):g} is beyond what FLOAT can hold")
            _interleave(frames, part)
        if self.packed is not None:
            packed, wide = self.packed[: out.size], out.view(np.uint8).reshape(-1, 4)
            for byte in range(3):
                packed[:, byte] = wide[:, byte]
            out = packed
        return memoryview(out.reshape(-1).view(np.uint8).data)


def _check_type(block: Array) -> None:
    if block.dtype.kind != "f" or block.dtype.itemsize not in (4, 8):
        raise ValueError(f"samples must be float32 or float64, not {block.dtype}")


def _work_type(block: Array, bits: int) -> str:
    """Return the type in which scaling by 2^(bits−1), rounding and limiting are all exact."""
    return "f4" if block.dtype.itemsize == 4 and bits <= 24 else "f8"


def _parts(block: Array, step: int) -> Iterator[Array]:
    for at in range(0, block.shape[1], step):
        yield block[:, at : at + step]


def _extent(block: Array) -> tuple[float, float]:
    """Return the smallest and the largest sample (0, 0 of none); ValueError if any is not finite."""
    import numpy as np

    if not block.size:
        return 0.0, 0.0
    low, high = float(block.min()), float(block.max())  # both are NaN if any sample is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("samples must be finite; some are NaN or infinite")
    return low, high


def _beyond(block: Array, low: float, high: float) -> int:
    """Count the samples beyond ±1.0."""
    import numpy as np

    return int(np.count_nonzero(np.abs(block) > 1.0)) if low < -1.0 or high > 1.0 else 0


def _round(block: Array, bits: int, low: float, high: float, work: Array, out: Array) -> None:
    """Write the nearest integers of finite samples to ``out``; ``work`` is a buffer of the block's shape."""
    import numpy as np

    scale = 2.0 ** (bits - 1)
    if low < -1.0 or high > 1.0:
        np.clip(block, -1.0, 1.0, out=work)  # before scaling, which could overflow
        block = work
    np.multiply(block, scale, out=work, dtype=work.dtype)
    np.rint(work, out=work)
    if high * scale > scale - 1.0:
        np.minimum(work, scale - 1.0, out=work)
    _interleave(out, work)


def _interleave(out: Array, samples: Array) -> None:
    """Copy channel by channel: numpy would run over the channels innermost, which takes twice as long."""
    import numpy as np

    for to, channel in zip(np.atleast_2d(out), np.atleast_2d(samples), strict=True):
        np.copyto(to, channel, casting="unsafe")


def _frame(
    sample_rate: int, channels: int, frames: int, subtype: Subtype, rf64: bool | Literal["auto"]
) -> tuple[bytes, bytes, int]:
    """Return what comes before the samples, what comes after them, and the size of the whole file."""
    if subtype not in BITS:
        raise ValueError(f"subtype must be one of {', '.join(BITS)}, not {subtype!r}")
    width = channels * BITS[subtype] // 8
    if not (channels >= 1 and width <= 0xFFFF):
        raise ValueError(f"WAV cannot hold {channels} channels of {subtype}")
    if not (sample_rate >= 1 and sample_rate * width <= 0xFFFFFFFF):
        raise ValueError(f"WAV cannot say {sample_rate} Hz with {channels} channels of {subtype}")
    if not 0 <= frames <= 0x7FFFFFFFFFFFFFFF // (2 * width):
        raise ValueError(f"frames is out of range: {frames}")
    data = frames * width
    chunks = _fmt(sample_rate, channels, subtype)
    if not subtype.startswith("PCM"):
        chunks += struct.pack("<4sII", b"fact", 4, min(frames, 0xFFFFFFFF))
    size = 4 + len(chunks) + 8 + data + data % 2
    if rf64 is False and size > MAX_RIFF:
        raise ValueError(f"{data} bytes of samples do not fit into a WAV file without RF64")
    if rf64 is True or size > MAX_RIFF:
        size += 36
        head = struct.pack("<4sI4s4sIQQQI", b"RF64", 0xFFFFFFFF, b"WAVE", b"ds64", 28, size, data, frames, 0)
        start = head + chunks + struct.pack("<4sI", b"data", 0xFFFFFFFF)
    else:
        start = struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + chunks + struct.pack("<4sI", b"data", data)
    return start, bytes(data % 2), size + 8


def _fmt(sample_rate: int, channels: int, subtype: Subtype) -> bytes:
    """Return the ``fmt`` chunk, in the plainest form that the standard allows."""
    bits, pcm = BITS[subtype], subtype.startswith("PCM")
    width = channels * bits // 8
    tag = _PCM if pcm else _IEEE_FLOAT
    extensible = channels > 2 or (pcm and bits > 16)
    shown = _EXTENSIBLE if extensible else tag
    body = struct.pack("<HHIIHH", shown, channels, sample_rate, sample_rate * width, width, bits)
    if extensible:
        body += struct.pack("<HHIH", 22, bits, _MASKS.get(channels, 0), tag) + _GUID_TAIL
    elif not pcm:
        body += struct.pack("<H", 0)
    return struct.pack("<4sI", b"fmt ", len(body)) + body


def _write(file: BinaryIO, data: memoryview) -> None:
    """Write all of it, also to a raw file, which may take less at a time."""
    while len(data):
        data = data[file.write(data) :]
