"""Butterflies in NumPy: values stand in for registers."""

import numpy as np
import pytest

from tonearm_plugins.dsp.engines.native.butterflies import DFT, Complex, swapped


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
