"""Sounds, figures and measures that the tests against other libraries share."""

import numpy as np

from tonearm_plugins.dsp.engines.native.compiler import refusal

RATE = 16000

ENGINES = ("scipy",) if refusal() else ("scipy", "native")
"""Engines of ours that run here; librosa's is compared with itself elsewhere."""


def noise(*shape, seed=0, level=0.25):
    """Return white noise, float64."""
    return level * np.random.default_rng(seed).standard_normal(shape)


def sine(hertz, length, rate=RATE, *, amplitude=0.5, phase=0.0):
    """Return a sine, float64 (length,)."""
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(length) / rate + phase)


def sweep(length, rate=RATE, *, first=100.0, last=None, amplitude=0.5):
    """Return a sine whose frequency grows linearly, float64 (length,)."""
    last = 0.4 * rate if last is None else last
    time = np.arange(length) / rate
    return amplitude * np.sin(2 * np.pi * (first * time + (last - first) * time**2 * rate / (2 * length)))


def snr_db(found, expected):
    """Return the ratio of an expected signal to the difference of another from it, in dB."""
    error = np.sum(np.abs(np.asarray(found, complex) - expected) ** 2)
    return np.inf if not error else 10 * np.log10(np.sum(np.abs(expected) ** 2) / error)


def loudest_hertz(samples, rate=RATE):
    """Return the frequency of the highest peak of a spectrum, between bins by a parabola through the logarithms."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    at = int(spectrum[1:-1].argmax()) + 1
    before, here, after = np.log(spectrum[at - 1 : at + 2] + 1e-30)
    return (at + 0.5 * (before - after) / (before - 2 * here + after)) * rate / len(samples)
