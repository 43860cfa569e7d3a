"""Effects by librosa's phase vocoder and median filters, of exact length at every rate.

Analyses are as long as 2048 samples at 22,050 Hz, which librosa's defaults are made for, in powers of two. Short sounds
are extended with zeros to one analysis, and cut again. Memory is some twenty times the sound's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

SECONDS = 2048 / 22050


def n_fft_for(sample_rate: int) -> int:
    """Return the power of two that is nearest to 93 ms, at least 32."""
    return int(max(32, 2 ** round(np.log2(sample_rate * SECONDS))))


def time_stretched(samples: Floats, rate: float, *, n_fft: int) -> Floats:
    """Return a waveform that is ``rate`` times as fast, at the same pitch: (channels, round(samples / rate)).

    A phase vocoder (`librosa.effects.time_stretch`).
    """
    import librosa

    length = stretched_length(samples.shape[1], rate)

    def effect(long: Floats) -> Floats:
        stretched: Floats = librosa.effects.time_stretch(long, rate=rate, n_fft=n_fft)
        return stretched

    return _exact(_with(effect, samples, n_fft), length)


def stretched_length(samples: int, rate: float) -> int:
    """Return how many samples a stretched waveform has, at least one."""
    return max(round(samples / rate), 1)


def pitch_shifted(samples: Floats, sample_rate: int, semitones: float, *, n_fft: int) -> Floats:
    """Return a waveform that is so many semitones higher, as long as before (`librosa.effects.pitch_shift`)."""
    import librosa

    def effect(long: Floats) -> Floats:
        shifted: Floats = librosa.effects.pitch_shift(long, sr=sample_rate, n_steps=semitones, n_fft=n_fft)
        return shifted

    return _exact(_with(effect, samples, n_fft), samples.shape[1])


def separated(samples: Floats, *, percussive: bool, margin: float, n_fft: int) -> Floats:
    """Return what sounds on, or, ``percussive``, what strikes, as long as before.

    Median filtering over time and over frequency (Fitzgerald, 2010; `librosa.effects.hpss`, margins after Driedger,
    Müller and Disch, 2014).
    """
    import librosa

    def effect(long: Floats) -> Floats:
        parts: tuple[Floats, Floats] = librosa.effects.hpss(long, margin=margin, n_fft=n_fft)
        return parts[percussive]

    return _exact(_with(effect, samples, n_fft), samples.shape[1])


def _with(effect: Callable[[Floats], Floats], samples: Floats, n_fft: int) -> Floats:
    missing = n_fft - samples.shape[1]
    # librosa 1.0 gives its own phase vocoder arguments that it warns of, and casts the memory for its phasors before
    # it has written them, where NumPy warns of whatever lay there.
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", r"The `\w+` parameter is deprecated as of 1\.0", FutureWarning)
        return effect(np.pad(samples, ((0, 0), (0, missing))) if missing > 0 else np.ascontiguousarray(samples))


def _exact(samples: Floats, length: int) -> Floats:
    """Return exactly so many samples."""
    missing = length - samples.shape[1]
    return np.pad(samples, ((0, 0), (0, missing))) if missing > 0 else samples[:, :length]
