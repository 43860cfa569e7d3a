import inspect

import numpy as np
import pytest
from dsp_material import noise_spectrum, smooth_magnitude
from dsp_reference import convergence_db, hann

from tonearm_plugins.dsp.engines.librosa import LIBROSA
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery import recovery
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings

WINDOW = hann(512)
librosa = pytest.importorskip("librosa")
SEED = "rng" if "rng" in inspect.signature(librosa.griffinlim).parameters else "random_state"


def grid_of(pad, frames=30):
    return FrameGrid.checked(WINDOW, hop_length=128, pad=pad, frames=frames)


def recovered(given, grid, *, start="random", basis=None):
    settings = RecoverySettings(grid=grid, start=start, iterations=3, momentum=0.9, seed=7, basis=basis)
    out = np.empty((1, grid.length), np.float32)
    (reached,) = LIBROSA.recover(given[None], settings, out=out)
    return out[0], reached


@pytest.mark.parametrize("pad", [256, 0, 100])
def test_inversion_is_librosas(pad):
    spectrum, grid = noise_spectrum(257, 30)[0], grid_of(pad)
    out = np.empty(grid.length, np.float32)
    LIBROSA.istft(spectrum, grid, out=out)
    call = {"hop_length": 128, "n_fft": 512, "window": WINDOW}
    whole = librosa.istft(spectrum, center=pad == 256, **call)
    expected = whole if pad == 256 else whole[pad : pad + grid.length]
    assert np.array_equal(out, expected)


def test_double_precision_stays():
    spectrum, grid = noise_spectrum(257, 30)[0].astype(complex), grid_of(256)
    out = np.empty(grid.length, np.float64)
    LIBROSA.istft(spectrum, grid, out=out)
    assert np.array_equal(out, librosa.istft(spectrum, hop_length=128, n_fft=512, window=WINDOW))


@pytest.mark.parametrize("start", ["random", "zero", "plgi"])
def test_recovery_is_librosas_and_measured_as_ours(start):
    magnitude, grid = smooth_magnitude(257, 30).T, grid_of(256)
    found, reached = recovered(magnitude, grid, start=start)
    expected = librosa.griffinlim(
        magnitude,
        n_iter=3,
        hop_length=128,
        n_fft=512,
        window=WINDOW,
        momentum=0.9,
        init=None if start == "zero" else "random",
        length=grid.length,
        **{SEED: 7},
    )
    assert np.array_equal(found, expected)
    assert reached.iterations == 3
    decibels = convergence_db(np.pad(found.astype(float), 256), magnitude.T.astype(float), WINDOW, 128)
    assert recovery.convergence_db(reached.distance, reached.energy) == pytest.approx(decibels, abs=1e-3)


def test_a_mel_spectrogram_is_inverted_first():
    weights = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40)
    mel = (weights @ smooth_magnitude(257, 30).T ** 2).astype(np.float32)
    found, _ = recovered(mel, grid_of(256), basis=MelBasis.checked(weights, mels=40, power=2))
    magnitude = librosa.feature.inverse.mel_to_stft(mel, sr=16000, n_fft=512, power=2)
    expected, _ = recovered(magnitude, grid_of(256))
    assert np.linalg.norm(found - expected) < 1e-2 * np.linalg.norm(expected)
