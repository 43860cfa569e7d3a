"""The short-time Fourier transforms of other libraries, as independent references.

TensorFlow's and MATLAB's are written from their documentation, in float64.
"""

import numpy as np
import scipy.signal

RATE = 8000


def sound(length: int, seed: int = 0) -> np.ndarray:
    """Return noise and a sine that ends loud, so that a wrong edge shows: float64 (length,)."""
    noise = np.random.default_rng(seed).standard_normal(length)
    return 0.2 * noise + 0.4 * np.sin(2 * np.pi * 440 / RATE * np.arange(length))


def scipy_stft(x, n_fft, hop, window, **options):
    """``scipy.signal.stft``."""
    common = {"fs": RATE, "nperseg": len(window), "noverlap": len(window) - hop, "nfft": n_fft, "window": window}
    return scipy.signal.stft(x, **common, **options)[2]


def short_time_fft(x, n_fft, hop, window, **options):
    """``scipy.signal.ShortTimeFFT.stft``."""
    return scipy.signal.ShortTimeFFT(window, hop, RATE, mfft=n_fft, **options).stft(x)


def librosa_stft(x, n_fft, hop, window, **options):
    """``librosa.stft``."""
    import librosa

    return librosa.stft(x, n_fft=n_fft, hop_length=hop, win_length=len(window), window=window, **options)


def tensorflow_stft(x, n_fft, hop, window, *, pad_end=False):
    """``tf.signal.stft``: frames of ``frame_length`` samples, the window, ``tf.signal.rfft`` of ``fft_length``.

    The FFT pads short frames with zeros at their end. ``pad_end`` adds zeros until there are ceil(length / step).
    """
    if pad_end:
        frames = -(-len(x) // hop)
        x = np.pad(x, (0, max(0, (frames - 1) * hop + len(window) - len(x))))
    else:
        frames = 1 + (len(x) - len(window)) // hop
    return np.array([np.fft.rfft(x[t * hop : t * hop + len(window)] * window, n_fft) for t in range(frames)]).T


def tensorflow_hann(length: int) -> np.ndarray:
    """``tf.signal.hann_window(length, periodic=True)``, whose period is odd for an odd length, too."""
    even = 1 - length % 2
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length + even - 1))


def matlab_stft(x, n_fft, hop, window, *, frequency_range="centered"):
    """``stft(x, fs, Window=…, OverlapLength=…, FFTLength=…)``.

    There are ``fix((length - overlap) / (window - overlap))`` columns. A centred spectrum of an even length covers the
    frequencies (-π, π].
    """
    frames = (len(x) - (len(window) - hop)) // hop
    values = np.array([np.fft.fft(x[t * hop : t * hop + len(window)] * window, n_fft) for t in range(frames)]).T
    if frequency_range == "twosided":
        return values
    if frequency_range == "onesided":
        return values[: n_fft // 2 + 1]
    order = np.argsort((np.arange(n_fft) + (n_fft - 1) // 2) % n_fft)  # -(n - 1)//2 first, n//2 last
    return values[order]
