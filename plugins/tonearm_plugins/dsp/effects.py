"""Effects by librosa's phase vocoder and median filters, with exact lengths at every sample rate.

An analysis lasts about 93 ms: librosa's 2,048 samples at 22,050 Hz. A waveform that is shorter is padded with zeros to
one analysis, and cut again. Effects take about twenty times the memory of the waveform.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.typing import Array

ANALYSIS_SECONDS = 2048 / 22050

HPSS_FRAMES = 512
"""Frames whose harmonic and percussive parts are told apart together."""

HPSS_REACH = 15
"""Frames to either side that librosa's median of 31 frames looks at."""


def default_n_fft(sample_rate: int) -> int:
    """Return the analysis length for a sample rate: the power of two nearest to 93 ms, at least 32.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.

    Returns
    -------
    int
        Length of the FFT in samples.

    Examples
    --------
    >>> default_n_fft(22050), default_n_fft(48000)
    (2048, 4096)
    """
    return int(max(32, 2 ** round(np.log2(sample_rate * ANALYSIS_SECONDS))))


def stretched_length(samples: int, rate: float) -> int:
    """Return the length of a stretched waveform.

    Parameters
    ----------
    samples
        Length of the waveform in samples.
    rate
        Factor of the speed.

    Returns
    -------
    int
        ``round(samples / rate)``, at least 1.

    Examples
    --------
    >>> stretched_length(1000, 1.5)
    667
    """
    return max(round(samples / rate), 1)


def time_stretch(samples: Array, rate: float, *, n_fft: int) -> Array:
    """Change the speed of a waveform and keep its pitch, by the phase vocoder `librosa.effects.time_stretch`.

    Parameters
    ----------
    samples
        Finite waveform of shape (channels, samples), float32 or float64.
    rate
        Factor of the speed: 2 is half as long.
    n_fft
        Length of the analysis in samples; see `default_n_fft`.

    Returns
    -------
    Array
        Waveform of shape (channels, `stretched_length`), in the same dtype.

    Examples
    --------
    >>> time_stretch(np.zeros((2, 3000), "f4"), 1.5, n_fft=2048).shape
    (2, 2000)
    """
    import librosa

    def effect(padded: Array) -> Array:
        stretched: Array = librosa.effects.time_stretch(padded, rate=rate, n_fft=n_fft)
        return stretched

    return _with_length(_apply(effect, samples, n_fft), stretched_length(samples.shape[1], rate))


def pitch_shift(samples: Array, sample_rate: int, semitones: float, *, n_fft: int) -> Array:
    """Change the pitch of a waveform and keep its speed, by `librosa.effects.pitch_shift`.

    Waveforms of float64 are resampled with libsoxr's highest quality, because the others compute in single precision.

    Parameters
    ----------
    samples
        Finite waveform of shape (channels, samples), float32 or float64.
    sample_rate
        Sample rate in Hz.
    semitones
        Interval in semitones; a negative one is downwards.
    n_fft
        Length of the analysis in samples; see `default_n_fft`.

    Returns
    -------
    Array
        Waveform of the same shape and dtype.

    Examples
    --------
    >>> pitch_shift(np.zeros((1, 3000), "f4"), 22050, 12, n_fft=2048).shape
    (1, 3000)
    """
    import librosa

    quality = "soxr_vhq" if samples.dtype == np.float64 else "soxr_hq"

    def effect(padded: Array) -> Array:
        shifted: Array = librosa.effects.pitch_shift(
            padded, sr=sample_rate, n_steps=semitones, res_type=quality, n_fft=n_fft
        )
        return shifted

    return _with_length(_apply(effect, samples, n_fft), samples.shape[1])


def hpss(
    samples: Array, *, percussive: bool, margin: float, n_fft: int, on_progress: OnProgress | None = None
) -> Array:
    """Separate harmonic from percussive sound and return one of them, as `librosa.effects.hpss` does, block by block.

    It compares median filters over time and over frequency (Fitzgerald, "Harmonic/percussive separation using median
    filtering", 2010), with margins (Driedger, Müller and Disch, "Extending harmonic-percussive separation of audio
    signals", 2014).

    Parameters
    ----------
    samples
        Finite waveform of shape (channels, samples), float32 or float64.
    percussive
        Whether to return the percussive part, and not the harmonic one.
    margin
        Factor by which one part must exceed the other, from 1. Above 1, what is neither is dropped.
    n_fft
        Length of the analysis in samples; see `default_n_fft`.
    on_progress
        Function called with the frames whose parts are told apart, and with the number of all.

    Returns
    -------
    Array
        Waveform of the same shape and dtype.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)[None]
    >>> part = hpss(tone, percussive=True, margin=1.0, n_fft=2048)
    >>> bool(np.abs(part[0, 4000:-4000]).max() < 0.05)
    True
    """
    import librosa

    def effect(padded: Array) -> Array:
        magnitude, phase = librosa.magphase(librosa.stft(padded, n_fft=n_fft))
        frames = magnitude.shape[-1]
        for block in block_slices(frames, HPSS_FRAMES, on_progress=on_progress):
            first = max(block.start - HPSS_REACH, 0)
            around = magnitude[..., first : block.stop + HPSS_REACH]
            mask = librosa.decompose.hpss(around, margin=margin, mask=True)[percussive]
            own = slice(block.start - first, block.stop - first)
            phase[..., block] *= magnitude[..., block] * mask[..., own]
        part: Array = librosa.istft(phase, dtype=padded.dtype, n_fft=n_fft, length=padded.shape[-1])
        return part

    return _with_length(_apply(effect, samples, n_fft), samples.shape[1])


def _apply(effect: Callable[[Array], Array], samples: Array, n_fft: int) -> Array:
    """Apply an effect to a waveform of at least one analysis, without librosa's warnings about itself."""
    missing = n_fft - samples.shape[1]
    # librosa 1.0 gives its own phase vocoder arguments that it warns of, and casts the memory for its phasors before
    # it has written them, so that NumPy warns of arbitrary values.
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", r"The `\w+` parameter is deprecated as of 1\.0", FutureWarning)
        return effect(np.pad(samples, ((0, 0), (0, missing))) if missing > 0 else np.ascontiguousarray(samples))


def _with_length(samples: Array, length: int) -> Array:
    """Return a waveform cut or padded with zeros to a length."""
    missing = length - samples.shape[1]
    return np.pad(samples, ((0, 0), (0, missing))) if missing > 0 else samples[:, :length]
