"""Analysis windows in plain Python, so that a grid can be checked without importing numpy.

All windows have a closed form: a sum of cosines, or a power of one. They are periodic (DFT-even), as spectral analysis
requires, and equal to `scipy.signal.get_window(name, length, fftbins=True)` where scipy has the same window.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

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

WINDOWS = (*COSINES, *POWERS, *(name + SYMMETRIC for name in ("hann", "hamming", "povey")))
"""Names of all windows. A symmetric window, such as ``hann_symmetric``, ends on the value that it begins with."""

NOLA_RATIO = 1e-10
"""Smallest sum of squared windows at a sample, relative to the largest, that still counts as weight."""


@functools.lru_cache(maxsize=64)
def window_values(name: str, win_length: int, n_fft: int) -> tuple[float, ...]:
    """Return a window, centred in ``n_fft`` samples and padded with zeros.

    Parameters
    ----------
    name
        Name of the window, one of `WINDOWS`.
    win_length
        Length of the window in samples, 1 to ``n_fft``.
    n_fft
        Length of the result in samples. As in librosa, ``(n_fft - win_length) // 2`` zeros come first.

    Returns
    -------
    tuple of float
        ``n_fft`` values in float64.
    """
    base, power = POWERS.get(name.removesuffix(SYMMETRIC), (name.removesuffix(SYMMETRIC), 1.0))
    period = win_length - 1 if name.endswith(SYMMETRIC) else win_length
    terms = tuple((-1) ** k * a for k, a in enumerate(COSINES[base]))
    turn = 2 * math.pi / max(period, 1)
    values = [sum(a * math.cos(turn * k * n) for k, a in enumerate(terms)) for n in range(win_length)]
    if win_length == 1:
        values = [1.0]
    values = [max(value, 0.0) ** power for value in values] if power != 1.0 else values
    before = (n_fft - win_length) // 2
    return (*([0.0] * before), *values, *([0.0] * (n_fft - win_length - before)))


@functools.lru_cache(maxsize=64)
def is_invertible(name: str, win_length: int, n_fft: int, hop_length: int) -> bool:
    """Return whether every sample away from the edges has weight in some frame (the NOLA condition).

    The condition is that of `scipy.signal.check_NOLA`, but relative to the largest sum of squared windows, so that it
    does not depend on the scale of the window.
    """
    window = window_values(name, win_length, n_fft)
    sums = [math.fsum(v * v for v in window[start::hop_length]) for start in range(min(hop_length, n_fft))]
    return hop_length <= n_fft and min(sums) > NOLA_RATIO * max(sums)
