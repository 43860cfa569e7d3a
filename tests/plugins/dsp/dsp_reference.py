"""Independent references in float64, written the way the papers are, one frame at a time."""

from __future__ import annotations

import numpy as np


def hann(n_fft, win_length=None):
    win_length = win_length or n_fft
    window = np.zeros(n_fft)
    left = (n_fft - win_length) // 2
    window[left : left + win_length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win_length) / win_length)
    return window


def analyse(signal, window, hop, frames):
    """Padded signal -> (frames, bins)."""
    return np.array([np.fft.rfft(signal[t * hop : t * hop + len(window)] * window) for t in range(frames)])


def synthesise(spectra, window, hop, pad, length, least):
    """(frames, bins) -> the signal on the padded axis, zero outside the clip."""
    n_fft = len(window)
    total = np.zeros((len(spectra) - 1) * hop + n_fft)
    weight = np.zeros_like(total)
    for t, frame in enumerate(np.fft.irfft(spectra, n=n_fft, axis=1)):
        total[t * hop : t * hop + n_fft] += frame * window
        weight[t * hop : t * hop + n_fft] += window**2
    steady = np.pad(window**2, (0, -n_fft % hop)).reshape(-1, hop).sum(0)
    time = np.arange(len(total))
    kept = (weight > min(least * steady.max(), steady.min() / 2)) & (pad <= time) & (time < pad + length)
    return np.where(kept, total / np.where(kept, weight, 1), 0)


def clip(signal, pad, length):
    signal = signal[pad : pad + length]
    return np.pad(signal, (0, length - len(signal)))


def project(point, magnitude, window, hop, pad, length, smoothing=0.0):
    spectra = analyse(point, window, hop, len(magnitude))
    found = np.abs(spectra)
    shares = found / np.sqrt(found**2 + smoothing * magnitude**2 + 1e-60) * np.sqrt(1 + smoothing)
    return synthesise(magnitude * shares * np.exp(1j * np.angle(spectra)), window, hop, pad, length, 1e-3)


def agla(first, magnitude, window, hop, pad, length, iterations, alpha, gamma, smoothing=0.0, beta=0.0):
    """Accelerated Griffin-Lim (Nenov et al., 2023) with its three sequences, and a projection that may be smoothed."""
    t = c = d = first
    for _ in range(iterations):
        new = (1 - gamma) * d + gamma * project(c, magnitude, window, hop, pad, length, smoothing)
        c, d, t = new + alpha * (new - t), new + beta * (new - t), new
    return t


def convergence_db(signal, magnitude, window, hop):
    found = np.abs(analyse(signal, window, hop, len(magnitude)))
    return 20 * np.log10(np.linalg.norm(found - magnitude) / np.linalg.norm(magnitude))


def peak_locked_phases(magnitude, hop, n_fft, win_length):
    """PLGI for a Hann window, frame by frame and bin by bin: turns seen from the frame's centre."""
    frames, bins = magnitude.shape
    small = max(magnitude.max() * 1e-10, 1e-30)
    gamma = 0.25645 * win_length**2

    def log(a, otherwise):
        return np.log(np.where(a > 0, a, otherwise) + small)

    silent = np.zeros((1, bins))
    after, before = np.vstack([magnitude[1:], silent]), np.vstack([silent, magnitude[:-1]])
    above = np.hstack([magnitude[:, 1:], np.zeros((frames, 1))])
    below = np.hstack([np.zeros((frames, 1)), magnitude[:, :-1]])
    slope = -gamma / (hop * n_fft) * (log(after, magnitude) - log(before, magnitude)) / 2 / (2 * np.pi)
    advance = hop * np.arange(bins) / n_fft
    advance = advance + hop * n_fft / gamma * (log(above, magnitude) - log(below, magnitude)) / 2 / (2 * np.pi)
    turns = np.zeros((frames, bins))
    for n in range(frames):
        rising = above[n] >= magnitude[n]
        for peak in range(bins):
            if rising[peak] or (peak and not rising[peak - 1]):
                continue
            near = [k for k in (peak, peak - 1, peak + 1) if 0 <= k < bins]
            k = max(near, key=lambda k: before[n, k])
            turns[n, peak] = advance[n, peak] / 2
            if n:
                turns[n, peak] += turns[n - 1, k] + advance[n - 1, k] / 2
            for step in (-1, 1):
                m = peak
                while 0 <= m + step < bins and (rising[m - 1] if step < 0 else not rising[m + 1]):
                    turns[n, m + step] = turns[n, m] + step * (slope[n, m] + slope[n, m + step]) / 2
                    m += step
    return turns


def with_turns(magnitude, turns):
    """Spectra of frames from their first sample, for phases seen from their centre."""
    return magnitude * np.exp(2j * np.pi * (turns + np.arange(magnitude.shape[1]) / 2))
