"""Butterflies in NumPy: values stand in for registers."""

import numpy as np
import pytest

from tonearm_plugins.dsp.engines.native.butterflies import DFT, TURNED_DFT, Complex, swapped


def as_complex(x):
    return np.array([value.re + 1j * value.im for value in x])


@pytest.mark.parametrize("radix", DFT)
def test_every_butterfly_is_a_discrete_fourier_transform(radix):
    values = np.random.default_rng(radix).standard_normal((radix, 2))
    x = [Complex(*value) for value in values]
    expected = np.fft.fft(values @ [1, 1j])
    assert np.allclose(as_complex(DFT[radix](x)), expected)
    inverse = as_complex(swapped(DFT[radix](swapped(x))))
    assert np.allclose(inverse, np.fft.ifft(values @ [1, 1j]) * radix)


@pytest.mark.parametrize("radix", TURNED_DFT)
def test_butterflies_that_turn_their_points_are_those_of_turned_points(radix):
    values = np.random.default_rng(radix).standard_normal((radix, 2))
    angles = np.random.default_rng(1).uniform(0, 6, radix - 1)
    turned = values @ [1, 1j] * np.exp(1j * np.append(0, angles))
    factors = list(zip(np.cos(angles), np.sin(angles), strict=True))
    found = TURNED_DFT[radix]([Complex(*value) for value in values], factors, 2.0)
    assert np.allclose(as_complex(found), np.fft.fft(turned))
