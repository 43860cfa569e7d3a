import numpy as np
import pytest
from mel_material import basis, speech_mel

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.mel_to_magnitude import MIN_PART, mel_to_magnitude


@pytest.mark.parametrize("power", [1, 2])
def test_magnitudes_have_the_mel_spectrogram(power, librosa):
    weights = basis()
    mel = speech_mel(power, weights)
    distances = []
    for iterations in (0, 3, 10):
        magnitude = mel_to_magnitude(mel, mel_basis=weights, power=power, iterations=iterations)
        assert magnitude.shape == (1, 513, mel.shape[2])
        assert magnitude.dtype == np.float32
        assert (magnitude >= 0).all()
        distances.append(
            np.linalg.norm(weights @ magnitude[0].astype(float) ** power - mel[0]) / np.linalg.norm(mel[0])
        )
    assert distances[2] < distances[1] < distances[0]
    assert distances[2] < 0.015
    librosas = librosa.feature.inverse.mel_to_stft(mel[0], sr=22050, n_fft=1024, power=power)
    assert (
        distances[2] < np.linalg.norm(weights @ librosas.astype(float) ** power - mel[0]) / np.linalg.norm(mel[0]) / 2
    )


def test_the_first_step_is_the_pseudo_inverse_kept_above_a_part_of_an_even_spread():
    weights = basis()
    mel = speech_mel(1, weights)
    found = mel_to_magnitude(mel, mel_basis=weights, iterations=0)[0].astype(float)
    shares = weights / np.where(weights.sum(axis=0) > 0, weights.sum(axis=0), 1)
    even = (shares / weights.sum(axis=1, keepdims=True)).T @ mel[0]
    expected = np.maximum(np.linalg.pinv(weights) @ mel[0], even * MIN_PART)
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert (found[weights.any(axis=0)] > 0).all()  # what is 0 could never grow


def test_silence_stays_and_nan_stays_in_its_frame():
    weights = basis()
    assert not mel_to_magnitude(np.zeros((1, 80, 30), np.float32), mel_basis=weights).any()
    mel = np.ones((1, 80, 600), np.float32)
    mel[:, :, 300] = np.nan
    found = mel_to_magnitude(mel, mel_basis=weights)
    assert np.flatnonzero(np.isnan(found).any(axis=(0, 1))).tolist() == [300]


def test_what_does_not_fit_is_refused():
    mel = np.ones((1, 80, 10), np.float32)
    with pytest.raises(ShapeError, match="real"):
        mel_to_magnitude(mel.astype(complex), mel_basis=basis())
    with pytest.raises(ShapeError, match="channels"):
        mel_to_magnitude(mel[0], mel_basis=basis())
