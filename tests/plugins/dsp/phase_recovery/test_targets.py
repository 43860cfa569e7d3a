import numpy as np
import pytest
from dsp_material import noise_spectrum, smooth_magnitude

from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget, MelTarget, mel_floor, target_of

WEIGHTS = np.maximum(0, 1 - np.abs(np.arange(257) - np.linspace(5, 250, 30)[:, None]) / 12)
WEIGHTS[7] = 0  # a band that holds nothing


def spectra():
    return noise_spectrum(257, 20)[0].T.copy()


def test_known_magnitudes_replace_those_found_and_keep_the_phases():
    wanted, found = smooth_magnitude(257, 20), spectra()
    found[3, 4] = 0
    before = found.copy()
    target = MagnitudeTarget(wanted.T)
    target.project(0, 20, found)
    loud = np.abs(before) > 0
    assert np.allclose(np.abs(found[loud]), wanted[loud], rtol=1e-5)
    assert np.allclose(np.angle(found[loud] / before[loud]), 0, atol=1e-5)
    assert found[3, 4] == 0
    assert target.residual(0, 20, found)[0] == pytest.approx(wanted[3, 4] ** 2, rel=1e-4)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_smoothing_spares_what_is_much_too_quiet(dtype):
    wanted, found = smooth_magnitude(257, 20).astype(dtype), spectra().astype("c8" if dtype == "f4" else "c16")
    found[3, 4] = 0
    found[5] *= 1e-3
    before = np.abs(found)
    target = MagnitudeTarget(wanted.T, dtype)
    target.project(0, 20, found, 0.25)
    assert np.allclose(np.abs(found), wanted * before / np.sqrt(before**2 + 0.25 * wanted**2), rtol=1e-5)
    assert found[3, 4] == 0


@pytest.mark.parametrize("power", [1, 2])
def test_a_known_mel_spectrogram_scales_bins_by_their_bands(power):
    basis = MelBasis.checked(WEIGHTS, mels=30, power=power)
    mel = (WEIGHTS @ smooth_magnitude(257, 20).T.astype(float) ** power).astype(np.float32)
    target, found = MelTarget(mel, basis), spectra()
    before = found.astype(complex)
    target.project(5, 15, found[5:15])
    held = np.maximum(np.abs(before) ** power @ WEIGHTS.T, mel_floor(mel))
    total = WEIGHTS.sum(axis=0)
    gains = np.minimum(mel.T / held, 1e3) @ (WEIGHTS / np.where(total > 0, total, 1))
    assert np.allclose(found[5:15], (before * gains ** (1 / power))[5:15], rtol=1e-4)
    assert np.array_equal(found[:5], before[:5].astype(np.complex64))
    distance, energy = target.residual(5, 15, found[5:15])
    again = np.abs(found[5:15].astype(complex)) ** power @ WEIGHTS.T
    assert distance == pytest.approx(((again - mel.T[5:15]) ** 2).sum(), rel=1e-3)
    assert energy == pytest.approx((mel.T[5:15].astype(float) ** 2).sum(), rel=1e-5)


@pytest.mark.parametrize("power", [1, 2])
def test_the_first_magnitudes_nearly_have_the_mel_spectrogram(power):
    basis = MelBasis.checked(WEIGHTS, mels=30, power=power)
    mel = (WEIGHTS @ smooth_magnitude(257, 20).T.astype(float) ** power).astype(np.float32)
    magnitude = MelTarget(mel, basis).initial_magnitudes().astype(float)
    assert magnitude.shape == (20, 257)
    assert (magnitude >= 0).all()
    assert np.linalg.norm(WEIGHTS @ magnitude.T**power - mel) < 0.05 * np.linalg.norm(mel)


def test_a_gain_has_a_limit_where_there_is_nothing():
    basis = MelBasis.checked(np.ones((1, 4)), mels=1, power=1)
    target = target_of(np.full((1, 2), 1.0), basis)
    assert target.gains(np.zeros((2, 4), np.float32), target.mel).max() == 1e3
    assert mel_floor(np.array([[np.nan, 3.0]], np.float32)) == pytest.approx(3e-10)
