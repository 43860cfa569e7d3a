"""Analysis windows in plain Python, so that a grid can be checked without importing numpy.

All named windows have a closed form: a sum of cosines, or a power of one. They are periodic (DFT-even), as spectral
analysis requires, and equal to `scipy.signal.get_window(name, length, fftbins=True)` where scipy has the same window.
Any other window comes from a file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from tonearm.errors import OptionError, SetOption

Window: TypeAlias = str | tuple[float, ...]
"""Name of a window, one of `WINDOWS`, or its values."""

WindowPosition = Literal["center", "start"]

# Coefficients a_k of sum_k (-1)^k a_k cos(2 pi k n / N). Harris (1978), Nuttall (1981), as in scipy.signal.windows.
COSINES: Mapping[str, tuple[float, ...]] = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "boxcar": (1.0,),
}

# Kaldi's window is a power of the Hann window; codecs use its square root.
POWERS: Mapping[str, tuple[str, float]] = {"povey": ("hann", 0.85), "sqrt_hann": ("hann", 0.5)}

SYMMETRIC = "_symmetric"

WINDOWS = (*COSINES, *POWERS, *(name + SYMMETRIC for name in (*COSINES, *POWERS) if name != "boxcar"))
"""Names of all windows. A symmetric window, such as ``hann_symmetric``, ends on the value that it begins with."""

WINDOW_FILES = (".npy", ".txt")
"""Suffixes of files that hold a window."""

NOLA_RATIO = 1e-10
"""Smallest sum of squared windows at a sample, relative to the largest, that still counts as weight."""


@functools.lru_cache(maxsize=64)
def window_values(
    window: Window, win_length: int, n_fft: int, position: WindowPosition = "center"
) -> tuple[float, ...]:
    """Return a window in ``n_fft`` samples, padded with zeros.

    Parameters
    ----------
    window
        Name of the window, one of `WINDOWS`, or its values.
    win_length
        Length of the window in samples, 1 to ``n_fft``.
    n_fft
        Length of the result in samples.
    position
        Place of the window: ``center`` puts ``(n_fft - win_length) // 2`` zeros before it, as librosa does; ``start``
        puts all zeros after it.

    Returns
    -------
    tuple of float
        ``n_fft`` values in float64.
    """
    values = _closed_form(window, win_length) if isinstance(window, str) else window
    before = (n_fft - win_length) // 2 if position == "center" else 0
    return (*([0.0] * before), *values, *([0.0] * (n_fft - win_length - before)))


def _closed_form(name: str, win_length: int) -> list[float]:
    """Return the values of a window of `WINDOWS`."""
    base, power = POWERS.get(name.removesuffix(SYMMETRIC), (name.removesuffix(SYMMETRIC), 1.0))
    period = win_length - 1 if name.endswith(SYMMETRIC) else win_length
    terms = tuple((-1) ** k * a for k, a in enumerate(COSINES[base]))
    turn = 2 * math.pi / max(period, 1)
    values = [sum(a * math.cos(turn * k * n) for k, a in enumerate(terms)) for n in range(win_length)]
    if win_length == 1:
        values = [1.0]
    return [max(value, 0.0) ** power for value in values] if power != 1.0 else values


@functools.lru_cache(maxsize=64)
def is_invertible(window: Window, win_length: int, n_fft: int, hop_length: int) -> bool:
    """Return whether every sample away from the edges has weight in some frame (the NOLA condition).

    The condition is that of `scipy.signal.check_NOLA`, but relative to the largest sum of squared windows, so that it
    does not depend on the scale of the window.
    """
    values = window_values(window, win_length, n_fft)
    if isinstance(window, str) and max(values) < 1e-12:  # nothing but its ends, which are 0 but for rounding
        return False
    sums = [math.fsum(v * v for v in values[start::hop_length]) for start in range(min(hop_length, n_fft))]
    return hop_length <= n_fft and min(sums) > NOLA_RATIO * max(sums)


def checked_values(values: Iterable[Any], win_length: int, name: str = "the window") -> tuple[float, ...]:
    """Return the values of a window as floats.

    Parameters
    ----------
    values
        Row of finite real numbers: a list, a tuple or an array.
    win_length
        Number of values that the window must have.
    name
        Name of the window in messages.

    Raises
    ------
    OptionError
        If the values are not a row of ``win_length`` finite real numbers.
    """
    shape = getattr(values, "shape", None)
    if shape is not None and len(shape) != 1:
        raise bad_window_error(f"{name} has the shape {tuple(shape)}, but a window is a row of numbers")
    row = values.tolist() if hasattr(values, "tolist") else list(values)
    if not all(type(value) in (float, int) for value in row):
        raise bad_window_error(f"{name} holds values that are not real numbers")
    if not all(math.isfinite(value) for value in row):
        raise bad_window_error(f"{name} holds values that are not finite")
    if len(row) != win_length:
        raise OptionError(
            f"{name} has {len(row)} values, but win_length is {win_length}",
            option="win_length",
            code="bad-window",
            remedies=(SetOption("win_length", len(row)),) if row else (),
        )
    return tuple(map(float, row))


def bad_window_error(message: str) -> OptionError:
    """Return the error for values that are no window."""
    return OptionError(
        message,
        option="window",
        code="bad-window",
        hint="a window is one row of finite real numbers in a .npy or .txt file",
    )
