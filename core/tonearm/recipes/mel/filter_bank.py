"""Mel filter banks in float64: the edges of the filters, and their weights at the bins of an FFT."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tonearm.typing import Float64Array

MelScale = Literal["slaney", "htk", "kaldi"]
MelNorm = Literal["slaney", "none"]

# Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz with three mels to 200 Hz, then 27 steps to a factor of 6.4.
LINEAR = 3 / 200
KNEE_HZ, KNEE_MEL = 1000.0, 15.0
STEP = math.log(6.4) / 27


def hz_to_mel(hz: float, scale: MelScale) -> float:
    """Return the mel value of a frequency in Hz."""
    if scale == "htk":
        return 2595 * math.log10(1 + hz / 700)
    if scale == "kaldi":
        return 1127 * math.log(1 + hz / 700)
    return KNEE_MEL + math.log(hz / KNEE_HZ) / STEP if hz >= KNEE_HZ else hz * LINEAR


def mel_to_hz(mel: float, scale: MelScale) -> float:
    """Return the frequency in Hz of a mel value."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    if scale == "kaldi":
        return 700 * (math.exp(mel / 1127) - 1)
    return KNEE_HZ * math.exp(STEP * (mel - KNEE_MEL)) if mel >= KNEE_MEL else mel / LINEAR


def mel_edges(n_mels: int, fmin: float, fmax: float, scale: MelScale) -> list[float]:
    """Return the n_mels + 2 edges of the filters in mels; three in a row are the start, peak and end of a filter."""
    low, high = hz_to_mel(fmin, scale), hz_to_mel(fmax, scale)
    return [low + (high - low) * i / (n_mels + 1) for i in range(n_mels + 2)]


@functools.lru_cache(maxsize=16)
def mel_filter_bank(
    *,
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    scale: MelScale,
    norm: MelNorm,
    triangles: Literal["hz", "mel"],
) -> Float64Array:
    """Return the weights of mel filters.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    n_fft
        Length of the Fourier transform in samples.
    n_mels
        Number of filters.
    fmin, fmax
        Start of the lowest filter and end of the highest filter in Hz.
    scale
        Mel scale on which the filters are equally spaced.
    norm
        ``slaney`` gives every filter an area of 1 Hz; with ``none`` every filter has a peak of 1.
    triangles
        Axis over which the flanks are straight: ``hz`` (librosa, torchaudio) or ``mel`` (Kaldi, TensorFlow).

    Returns
    -------
    ndarray
        Weights of shape (n_mels, n_fft // 2 + 1), float64, read only.
    """
    import numpy as np

    mels = np.array(mel_edges(n_mels, fmin, fmax, scale))
    hz = np.array([mel_to_hz(mel, scale) for mel in mels])
    bins = np.linspace(0, n_fft // 2 * sample_rate / n_fft, n_fft // 2 + 1)  # an odd n_fft has no bin at half the rate
    if triangles == "mel":
        points, edges = np.array([hz_to_mel(frequency, scale) for frequency in bins.tolist()]), mels
    else:
        points, edges = bins, hz
    rising = (points - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - points) / np.diff(edges)[1:, None]
    weights: Float64Array = np.maximum(0, np.minimum(rising, falling))
    if norm == "slaney":
        weights *= (2 / (hz[2:] - hz[:-2]))[:, None]
    weights.flags.writeable = False
    return weights


def count_bins(n_fft: int, sample_rate: int, fmin: float, fmax: float) -> int:
    """Return how many bins of an FFT lie between ``fmin`` and ``fmax`` in Hz, both included."""
    return max(math.floor(fmax * n_fft / sample_rate) - math.ceil(fmin * n_fft / sample_rate) + 1, 0)


def max_filter_sum(n_fft: int, sample_rate: int, edges_hz: list[float], norm: MelNorm) -> float:
    """Return an upper bound of the sum of any filter's weights, without computing them."""
    widths = [last - first for first, last in zip(edges_hz, edges_hz[2:], strict=False)]
    if norm == "slaney":
        return n_fft / sample_rate + 2 / min(widths)
    return max(widths) / 2 * n_fft / sample_rate + 1
