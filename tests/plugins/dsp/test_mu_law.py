"""mu-law, against its formula and its inverse, across blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.mu_law import mu_law_decode, mu_law_expand


def compressed(samples: np.ndarray, mu: int) -> np.ndarray:
    return np.sign(samples) * np.log1p(mu * np.abs(samples)) / np.log1p(mu)


@pytest.mark.parametrize("classes", [2, 256, 65536])
def test_expansion_is_the_inverse_of_compression(classes: int) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (2, BLOCK_LENGTH + 7))
    found = mu_law_expand(compressed(samples, classes - 1), classes)
    np.testing.assert_allclose(found, samples, atol=1e-12)


def test_classes_are_even_on_the_curve() -> None:
    classes = np.arange(256.0)[None]
    found = mu_law_decode(classes, 256)
    assert found.dtype == "f4"
    np.testing.assert_allclose(compressed(found.astype("f8"), 255), 2 * classes / 255 - 1, atol=1e-6)


def test_nan_stays() -> None:
    values = np.array([[0.5, np.nan]], "f4")
    assert np.isnan(mu_law_expand(values, 256)).tolist() == [[False, True]]
    assert np.isnan(mu_law_decode(2 * values, 256)).tolist() == [[False, True]]


@pytest.mark.parametrize("place", [0, BLOCK_LENGTH])
def test_impossible_values_are_refused_wherever_they_are(place: int) -> None:
    values = np.zeros((1, BLOCK_LENGTH + 1))
    for impossible in (0.5, -1, 256, np.inf):
        values[0, place] = impossible
        with pytest.raises(
            ValueError, match=f"class indices must be whole numbers from 0 to 255, but one is {impossible:g}"
        ):
            mu_law_decode(values, 256)
    values[0, place] = -1.01
    with pytest.raises(ValueError, match=r"companded values must be from -1 to 1, but one is -1\.01"):
        mu_law_expand(values, 256)
    values[0, place] = 1.0005
    assert mu_law_expand(values, 256)[0, place] == pytest.approx(1, rel=0.01)
