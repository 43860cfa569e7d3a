"""WAV files: samples are rounded, never floored or wrapped around, and a file beyond 4 GiB is RF64.

The header is complete before the first sample where the length is known. Else a file gets it at the end, and a pipe has
one of unknown length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import rounding, samples_per_block
from tonearm_plugins.formats.wav_header import BITS, Chunk, Form, Frame, Subtype, frame

if TYPE_CHECKING:
    import numpy as np

    from tonearm_plugins.dsp.typing import Array


_MOVED = 1 << 24  # bytes that are moved at once

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


class WavFile:
    """A WAV file that is written block by block, with memory that does not depend on its length.

    Parameters
    ----------
    file
        Binary file, open for writing at its start. Without ``frames``, it must be able to seek unless it is a pipe.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels, 1 to 65535 / bytes of a sample.
    frames
        Samples of each channel, over all blocks; None if that is not known yet.
    subtype
        Sample format. PCM is rounded as by `quantize`; FLOAT and DOUBLE keep samples beyond ±1.0.
    form, before, after
        Format and additional chunks, as for `frame`.
    dither
        Generator of the dither of PCM, as for `quantize`.
    is_pipe
        Whether the file cannot seek. Chunks that follow the samples in a file stand before them in a pipe.

    Raises
    ------
    ValueError
        The header cannot hold the numbers.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        sample_rate: int,
        channels: int,
        frames: int | None = None,
        subtype: Subtype = "PCM_16",
        form: Form = "auto",
        before: Sequence[Chunk] = (),
        after: Sequence[Chunk] = (),
        dither: np.random.Generator | None = None,
        is_pipe: bool = False,
    ) -> None:
        if is_pipe:
            before, after = (*before, *after), ()
        self._file = file
        self._channels = channels
        self._announced = frames
        self._is_pipe = is_pipe

        def around(count: int | None) -> Frame:
            return frame(sample_rate, channels, count, subtype, form, before=before, after=after)

        self._frame = around
        # A header of the right length, if the file does not grow beyond 4 GB, is patched at the end.
        self._around = self._frame(0 if frames is None and not is_pipe else frames)
        _write(file, memoryview(self._around.start))
        step = samples_per_block(channels)
        self._step = max(1, SHORT_BLOCK // channels) if frames is None or frames <= step else step
        self._convert = _Converter(subtype, channels, self._step, dither)
        self._done, self._clipped, self._peak = 0, 0, 0.0

    def write(self, block: Array) -> None:
        """Write samples (channels, n), float32 or float64 with full scale ±1.0.

        Raises
        ------
        ValueError
            A sample is NaN or infinite, the block does not have the channels, or there are more frames than announced.
            The file is then incomplete.
        """
        rounding.check_type(block)
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise ValueError(f"blocks must have the shape ({self._channels}, n), not {block.shape}")
        if self._announced is not None and self._done + block.shape[1] > self._announced:
            raise ValueError(f"there are more samples than the {self._announced} frames that were announced")
        convert = self._convert
        for part in _parts(block, self._step):
            low, high = rounding.finite_extent(part)
            _write(self._file, convert(part, low, high))
            self._peak = max(self._peak, high, -low)
            if convert.pcm:
                self._clipped += rounding.beyond(part, low, high)
            self._done += part.shape[1]

    def finish(self) -> WavStats:
        """Write the end of the file, and its header if the length was not known; the file stays open.

        Raises
        ------
        ValueError
            There are fewer frames than were announced.
        """
        done, around, announced = self._done, self._around, self._announced
        if announced is None and not self._is_pipe:
            around = self._frame(done)
            more = len(around.start) - len(self._around.start)
            if more:
                _move(self._file, len(self._around.start), more)
            self._file.seek(0)
            _write(self._file, memoryview(around.start))
            self._file.seek(0, os.SEEK_END)
        elif announced is not None and done != announced:
            raise ValueError(f"{announced} frames were announced, but there are {done}")
        _write(self._file, memoryview(around.end))
        return WavStats(self._clipped, self._peak, around.total)


def _move(file: BinaryIO, start: int, more: int) -> None:
    """Move all bytes from ``start`` on towards the end, from the last ones on, so that none is overwritten unread."""
    file.flush()
    name = file.name
    end = file.seek(0, os.SEEK_END)
    # What is open for writing alone can be read by its name.
    with open(name, "rb", buffering=0, closefd=isinstance(name, str)) as source:
        while end > start:
            at = max(start, end - _MOVED)
            source.seek(at)
            data = source.read(end - at)
            file.seek(at + more)
            _write(file, memoryview(data))
            file.flush()
            end = at


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
