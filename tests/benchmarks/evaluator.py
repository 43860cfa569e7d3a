"""Judges waveforms in float64, by code of its own: nothing of what it judges is imported."""

from __future__ import annotations

import math

import numpy as np


def hann(n_fft: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)


def spectra(signal: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Centred frames, zeros around the signal, periodic Hann window: (frames, bins), complex128, block by block."""
    padded = np.pad(np.asarray(signal, np.float64), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = hann(n_fft)
    return np.concatenate([np.fft.rfft(frames[i : i + 256] * window, axis=1) for i in range(0, len(frames), 256)])


def convergence_db(signal: np.ndarray, reference: np.ndarray, n_fft: int, hop: int) -> float:
    """Return the spectral convergence: the distance of the magnitudes over their norm, all frames counted."""
    same_length = np.zeros(len(reference))
    count = min(len(signal), len(reference))
    same_length[:count] = signal[:count]
    wanted = np.abs(spectra(reference, n_fft, hop))
    found = np.abs(spectra(same_length, n_fft, hop))
    return 20 * math.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def error_of_the_peak(signal: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest error over the largest sample."""
    return float(np.abs(signal.astype(np.float64) - exact).max() / np.abs(exact).max())


def pesq_wide_band(signal: np.ndarray, reference: np.ndarray, sample_rate: int) -> float | None:
    """Return PESQ-WB, the mean over stretches of ten seconds; None where the package is not installed."""
    try:
        from pesq import PesqError, pesq
    except ImportError:
        return None
    import soxr

    ours, theirs = (soxr.resample(x.astype(np.float64), sample_rate, 16_000) for x in (signal, reference))
    count = min(len(ours), len(theirs))
    scores = []
    for begin in range(0, max(1, count - 80_000), 160_000):
        part = slice(begin, min(begin + 160_000, count))
        sign = -1.0 if np.dot(ours[part], theirs[part]) < 0 else 1.0
        score = pesq(16_000, theirs[part], sign * ours[part], "wb", on_error=PesqError.RETURN_VALUES)
        if score > 0:
            scores.append(score)
    return float(np.mean(scores)) if scores else None
