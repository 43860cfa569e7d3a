"""Raw samples: the encodings, their sizes, and their values as floats."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array, UInt8Array

Encoding = Literal[
    "pcm_s8",
    "pcm_u8",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_s32be",
    "pcm_f32le",
    "pcm_f32be",
    "pcm_f64le",
    "pcm_f64be",
    "mulaw",
    "alaw",
]
"""Name of an encoding, as ffmpeg has it."""

_DTYPES = {
    "pcm_s8": "i1",
    "pcm_u8": "u1",
    "pcm_s16le": "<i2",
    "pcm_s16be": ">i2",
    "pcm_s32le": "<i4",
    "pcm_s32be": ">i4",
    "pcm_f32le": "<f4",
    "pcm_f32be": ">f4",
    "pcm_f64le": "<f8",
    "pcm_f64be": ">f8",
}
_SUBTYPES = {"mulaw": "ULAW", "alaw": "ALAW"}  # libsndfile's names

BITS: dict[str, int] = {
    encoding: 0 if encoding.startswith("pcm_f") else 16 if encoding in _SUBTYPES else int(encoding[5:].rstrip("lbe"))
    for encoding in get_args(Encoding)
}
"""Bits that samples are rounded to: 16 before A-law and µ-law, 0 for floats."""

SMOOTH = 0.8
"""Least correlation of neighbours in sound that another encoding gives."""


def bytes_per_sample(encoding: str) -> int:
    """Return the size of one sample in bytes."""
    return 1 if encoding in _SUBTYPES else int("".join(filter(str.isdigit, encoding))) // 8


def decoded_size(size: int, encoding: str, *, double: bool = False) -> int:
    """Return the memory in bytes that the samples of an encoding take as floats.

    Parameters
    ----------
    size
        Size of the raw samples in bytes.
    encoding
        One of `Encoding`.
    double
        Whether float64 is wanted.

    Returns
    -------
    int
        Bytes; 0 if the samples are floats that are read as they are.
    """
    wide = _is_wide(encoding, double=double)
    if encoding == ("pcm_f64le" if wide else "pcm_f32le"):
        return 0
    return size // bytes_per_sample(encoding) * (8 if wide else 4)


def _is_wide(encoding: str, *, double: bool) -> bool:
    return double or encoding.startswith(("pcm_s24", "pcm_s32"))


def decode(raw: UInt8Array, encoding: str, *, double: bool = False) -> Array:
    """Return the samples of an encoding as floats.

    Parameters
    ----------
    raw
        Bytes of the samples, uint8; whole samples.
    encoding
        One of `Encoding`.
    double
        Whether float64 is wanted. Integers of 24 and 32 bits always become float64.

    Returns
    -------
    ndarray
        (samples,), float32 or float64. Integers and the two laws are within ±1.0, floats are as they are.
    """
    import numpy as np

    wide = _is_wide(encoding, double=double)
    dtype: Any = np.float64 if wide else np.float32
    if encoding in _SUBTYPES:
        import io

        import soundfile

        with soundfile.SoundFile(
            io.BytesIO(raw.tobytes()), samplerate=8000, channels=1, subtype=_SUBTYPES[encoding], format="RAW"
        ) as file:
            samples: Array = file.read(dtype=np.dtype(dtype).name)
            return samples
    if encoding.startswith("pcm_s24"):
        # Into the upper three bytes of 32-bit words, little-endian.
        triples = raw.reshape(-1, 3)
        words = np.zeros((len(triples), 4), np.uint8)
        words[:, 1:] = triples if encoding.endswith("le") else triples[:, ::-1]
        scaled: Array = words.view("<i4").ravel() / dtype(1 << 31)
        return scaled
    values: Any = raw.view(_DTYPES[encoding])
    if values.dtype.kind == "f":
        floats: Array = values.astype(dtype, copy=False)
        return floats
    full_scale = dtype(1 << (8 * values.dtype.itemsize - 1))
    made: Array = ((values.astype(dtype) - full_scale) if values.dtype.kind == "u" else values) / full_scale
    return made


def encode(values: Array, encoding: str) -> Array:
    """Return the bytes of samples in an encoding.

    Parameters
    ----------
    values
        Samples of any shape: integers as `PcmRounding` gives them, with the value in the high bits, or floats for
        encodings of floats.
    encoding
        One of `Encoding`.

    Returns
    -------
    ndarray
        Contiguous, of the same samples in the same order.
    """
    import numpy as np

    if encoding in _SUBTYPES:
        return _law_table(encoding)[values.view(np.uint16)]
    if encoding.startswith("pcm_s24"):
        wide = np.ascontiguousarray(values, "<i4").reshape(-1).view(np.uint8).reshape(-1, 4)[:, 1:]
        return np.ascontiguousarray(wide if encoding.endswith("le") else wide[:, ::-1])
    if encoding in ("pcm_s8", "pcm_u8"):
        high = (values >> 8).astype(np.int8).view(np.uint8)
        return high ^ np.uint8(0x80) if encoding == "pcm_u8" else high
    return np.ascontiguousarray(values, _DTYPES[encoding])


@functools.cache
def _law_table(encoding: str) -> UInt8Array:
    """Return the byte of A-law or µ-law for each 16-bit sample, as libsndfile has it, by its unsigned value."""
    import io

    import numpy as np
    import soundfile

    file = io.BytesIO()
    every = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
    soundfile.write(file, every, 8000, format="RAW", subtype=_SUBTYPES[encoding])
    return np.frombuffer(file.getvalue(), np.uint8)


def smoothest_encodings(raw: UInt8Array, channels: int, encoding: str, most: int = 2) -> list[str]:
    """Return the encodings in which bytes are sound rather than noise, the smoothest first.

    Parameters
    ----------
    raw
        Bytes of the samples, uint8.
    channels
        Number of interleaved channels.
    encoding
        Encoding that is left out.
    most
        Largest number of encodings.
    """
    import numpy as np

    from tonearm_plugins.dsp.full_scale_noise import EXCERPT, is_full_scale_noise, neighbour_correlation

    found = []
    for other in (*_DTYPES, "pcm_s24le", "pcm_s24be"):
        frame = bytes_per_sample(other) * channels
        if other == encoding or raw.size % frame:
            continue
        count = raw.size // frame
        start = max(count - EXCERPT, 0) // 2
        with np.errstate(all="ignore"):
            samples = decode(raw[start * frame : min(start + EXCERPT, count) * frame], other).reshape(-1, channels)
            if not np.isfinite(samples).all() or not 1e-4 < np.abs(samples).max() <= 1.0:
                continue
        correlation = neighbour_correlation(samples)
        if correlation > SMOOTH and not is_full_scale_noise(samples):
            found.append((correlation, other))
    return [other for _, other in sorted(found, reverse=True)[:most]]
