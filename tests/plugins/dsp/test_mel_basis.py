import numpy as np
import pytest
from mel_material import basis

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.mel_basis import MelBasis


def checked(weights, power=1):
    return MelBasis.checked(weights, mels=len(weights), power=power)


@pytest.mark.parametrize("mels", [1, 40, 80])
def test_groups_multiply_as_the_whole_filter_bank(mels):
    weights = basis(mels)
    found = checked(weights)
    energy = np.random.default_rng(0).random((7, 513))
    ratio = np.random.default_rng(1).random((7, mels))
    bands, gains = np.zeros((7, mels)), np.zeros((7, 513))
    for group in found.groups:
        bands[:, group.bands] += energy[:, group.bins] @ group.to_bands
        gains[:, group.bins] = ratio[:, group.bands] @ group.to_bins
    assert np.allclose(bands, energy @ weights.T, rtol=1e-5)
    total = weights.sum(axis=0)
    assert np.allclose(gains, ratio @ (weights / np.where(total > 0, total, 1)), rtol=1e-5)


def test_bins_that_no_band_overlaps_have_no_gain():
    weights = np.zeros((2, 300))
    weights[0, 3], weights[1, 5] = 1, 2
    groups = checked(weights).groups
    assert sum(group.to_bands.shape[1] for group in groups) == 2
    assert checked(weights).shares.sum() == 2


def test_the_ways_back_from_bands_to_bins():
    weights = basis()
    found = checked(weights)
    assert np.allclose(found.pseudo_inverse.T, np.linalg.pinv(weights), rtol=1e-4, atol=1e-6)
    mel = weights @ np.ones(513)
    even = mel @ found.even_spread
    inside = weights.any(axis=0)
    assert np.allclose(even[inside], 1)  # bins that are alike come back
    assert not even[~inside].any()


def test_bases_are_shared_by_their_weights_and_power():
    assert checked(basis()) is checked(basis())
    assert checked(basis()) is not checked(basis(), power=2)
    assert checked(basis()) is not checked(basis(40))


def test_what_is_no_basis_is_refused():
    with pytest.raises(ShapeError, match="mel bands"):
        MelBasis.checked(np.ones((3, 5)), mels=4, power=1)
    with pytest.raises(ShapeError, match="negative"):
        checked(-np.ones((3, 5)))
    with pytest.raises(ShapeError, match="negative"):
        checked(np.full((3, 5), np.nan))
    with pytest.raises(ValueError, match="power"):
        checked(np.ones((3, 5)), power=1.5)
