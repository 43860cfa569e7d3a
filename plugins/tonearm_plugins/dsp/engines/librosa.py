"""librosa's own functions behind the same interface, as an engine to compare with."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FloatArray, FrameGrid, clip_of
from tonearm_plugins.dsp.phase_recovery.targets import MelBasis


def istft(spectrum: npt.NDArray[Any], grid: FrameGrid) -> FloatArray:
    """Invert one channel (bins, frames) by ``librosa.istft``."""
    import librosa

    kind = np.complex128 if spectrum.dtype.itemsize > 8 else np.complex64
    spectrum = np.asarray(spectrum, dtype=kind)
    common: dict[str, Any] = {"hop_length": grid.hop_length, "n_fft": grid.n_fft, "window": grid.window}
    if grid.pad == grid.n_fft // 2:
        signal: FloatArray = librosa.istft(spectrum, center=True, length=grid.length, **common)
        return signal
    signal = librosa.istft(spectrum, center=False, **common)
    return clip_of(signal, grid)


def griffin_lim(
    magnitude: npt.NDArray[np.float32], grid: FrameGrid, *, start: str, iterations: int, momentum: float, seed: int
) -> FloatArray:
    """Recover one channel (bins, frames) by ``librosa.griffinlim``, whose starts are random or zero."""
    import librosa

    common: dict[str, Any] = {
        "n_iter": iterations,
        "hop_length": grid.hop_length,
        "n_fft": grid.n_fft,
        "window": grid.window,
        "momentum": momentum,
        "init": None if start == "zero" else "random",
        # librosa 1.0 renamed the seed.
        "rng" if "rng" in inspect.signature(librosa.griffinlim).parameters else "random_state": seed % 2**32,
    }
    if grid.pad == grid.n_fft // 2:
        signal: FloatArray = librosa.griffinlim(magnitude, center=True, length=grid.length, **common)
        return signal
    signal = librosa.griffinlim(magnitude, center=False, **common)
    return clip_of(signal, grid)


def mel_to_magnitude(mel: npt.NDArray[np.float32], basis: MelBasis) -> npt.NDArray[np.float32]:
    """Return magnitudes (bins, frames) as ``librosa.feature.inverse.mel_to_stft`` does, by least squares."""
    import librosa

    energy = librosa.util.nnls(basis.weights.astype(np.float32), mel)
    magnitude: npt.NDArray[np.float32] = np.asarray(energy ** (1.0 / basis.power), np.float32)
    return magnitude
