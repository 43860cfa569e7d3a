"""Rounding: the one place where samples become integers. They are never floored or wrapped around."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from tonearm.typing import Array


def quantize(block: Array, bits: int, dither: np.random.Generator | None = None) -> tuple[Array, int]:
    """Round samples to the nearest integers, halves to even; values out of range are clipped.

    libsndfile and NumPy's casts both floor. So everything that writes integers uses this function, FLAC and MP3 too.

    Parameters
    ----------
    block
        Samples, float32 or float64 of any shape. Full scale is ±1.0, which becomes ±2^(bits−1).
    bits
        Bits of an integer, 2 to 32.
    dither
        Generator of noise of triangular density, between −1 and +1 steps, that is added before rounding. The error of
        rounding is then noise that does not depend on the sound, nor on how it is cut into blocks. None adds nothing.

    Returns
    -------
    values
        Integers of the same shape, int16 for up to 16 bits and int32 above, with the value in the low bits. (libsndfile
        takes 24 bits in the high ones of an int32: shift by 8.)
    clipped
        Number of samples beyond ±1.0. +1.0 itself, and what rounds to it, becomes the largest integer and does not
        count, since no integer stands for it.

    Raises
    ------
    ValueError
        A sample is NaN or infinite, or ``bits`` is out of range.
    """
    import numpy as np

    if not 2 <= bits <= 32:
        raise ValueError(f"bits must be 2 to 32, not {bits}")
    check_type(block)
    low, high = finite_extent(block)
    out = np.empty(block.shape, np.int16 if bits <= 16 else np.int32)
    work = np.empty(block.shape, work_type(block, bits, dither))
    round_into(out, block, bits, low, high, work, dither)
    return out, beyond(block, low, high)


def check_type(block: Array) -> None:
    """Raise `ValueError` unless samples are float32 or float64."""
    if block.dtype.kind != "f" or block.dtype.itemsize not in (4, 8):
        raise ValueError(f"samples must be float32 or float64, not {block.dtype}")


def work_type(block: Array, bits: int, dither: object = None) -> str:
    """Return the type in which scaling by 2^(bits−1), rounding and clipping are exact, and dither is fine enough."""
    return "f4" if block.dtype.itemsize == 4 and bits <= (24 if dither is None else 16) else "f8"


def finite_extent(block: Array) -> tuple[float, float]:
    """Return the smallest and the largest sample, (0, 0) if there are none; raise `ValueError` if one is not finite."""
    low, high = (float(block.min()), float(block.max())) if block.size else (0.0, 0.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("samples must be finite; some are NaN or infinite")
    return low, high


def beyond(block: Array, low: float, high: float) -> int:
    """Return the number of samples beyond ±1.0, given the smallest and the largest."""
    import numpy as np

    return int(np.count_nonzero(np.abs(block) > 1.0)) if low < -1.0 or high > 1.0 else 0


def round_into(
    out: Array,
    block: Array,
    bits: int,
    low: float,
    high: float,
    work: Array,
    dither: np.random.Generator | None = None,
    spare: Array | None = None,
) -> None:
    """Write the nearest integers of finite samples that lie between ``low`` and ``high``.

    ``work`` is a buffer of their shape, and ``spare`` an int32 buffer for two channels, which makes stereo faster.
    """
    import numpy as np

    scale = 2.0 ** (bits - 1)
    if low < -1.0 or high > 1.0:
        np.clip(block, -1.0, 1.0, out=work)  # before scaling, which could overflow
        block = work
    np.multiply(block, scale, out=work, dtype=work.dtype)
    if dither is not None:
        # Drawn sample by sample, all channels of one before the next, so that blocks of any length get the same noise.
        noise = dither.random((*work.T.shape, 2), work.dtype)
        work += (noise[..., 0] - noise[..., 1]).T
    np.rint(work, out=work)
    if dither is not None:
        np.clip(work, -scale, scale - 1.0, out=work)
    elif high * scale > scale - 1.0:
        np.minimum(work, scale - 1.0, out=work)
    if spare is None:
        interleave(out, work)
        return
    # Two samples of 16 bits are combined into one 32-bit integer, in half the time.
    np.copyto(spare, work, casting="unsafe")
    left, right = spare
    np.bitwise_and(left, 0xFFFF, out=left)
    np.left_shift(right, 16, out=right)
    np.bitwise_or(left, right, out=out.T.view(spare.dtype)[:, 0])


def interleave(out: Array, samples: Array) -> None:
    """Copy channel by channel: NumPy would loop over channels innermost, which takes twice as long."""
    import numpy as np

    if out.ndim < 2 or len(out) == 1:
        np.copyto(out, samples, casting="unsafe")
        return
    for to, channel in zip(out, samples, strict=True):
        np.copyto(to, channel, casting="unsafe")
