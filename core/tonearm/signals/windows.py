"""Analysis windows in plain Python, so that a grid can be judged before numpy is imported.

Only closed forms stand here: sums of cosines, and powers of them. All are periodic (DFT-even), as spectral analysis
wants them, and equal `scipy.signal.get_window(name, length, fftbins=True)` where scipy has them.
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

# Kaldi's window is a power of the Hann window; codecs use its root.
POWERS: Mapping[str, tuple[str, float]] = {"povey": ("hann", 0.85), "sqrt_hann": ("hann", 0.5)}

SYMMETRIC = "_symmetric"

WINDOWS = (*COSINES, *POWERS, *(name + SYMMETRIC for name in ("hann", "hamming", "povey")))
"""Every window name that a grid takes. ``hann_symmetric`` and its like end on the value that they begin with."""


@functools.lru_cache(maxsize=64)
def window_values(name: str, win_length: int, n_fft: int) -> tuple[float, ...]:
    """Return a window, centred in ``n_fft`` samples with zeros around it.

    Parameters
    ----------
    name
        One of `WINDOWS`.
    win_length
        Samples of the window itself, 1 to ``n_fft``.
    n_fft
        Samples of the whole, as librosa pads it: ``(n_fft - win_length) // 2`` zeros come first.

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
    """Say whether every sample away from the edges has weight in some frame (the NOLA condition).

    The bound is relative: the least sum of squared windows over the frames, against the greatest, as in
    `scipy.signal.check_NOLA` but independent of the window's scale.
    """
    window = window_values(name, win_length, n_fft)
    sums = [math.fsum(v * v for v in window[start::hop_length]) for start in range(min(hop_length, n_fft))]
    return hop_length <= n_fft and min(sums) > 1e-10 * max(sums)
