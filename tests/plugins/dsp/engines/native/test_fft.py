"""The real FFT's arithmetic and tables, in NumPy: values stand in for registers."""

import math

import numpy as np
import pytest

from tonearm_plugins.dsp.engines.native.fft import DFT, Complex, half_turns, passes, places, radices, swapped, twiddles

POINTS = (16, 32, 200, 240, 256, 400, 512, 960, 1024, 2048)


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


def test_only_two_or_more_radices_of_2_3_and_5_make_an_fft():
    for points in range(1, 3000):
        rest = points
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        found = radices(points)
        if found is not None:
            assert math.prod(found) == points
            assert len(found) > 1
            assert set(found) <= set(DFT)
        else:
            assert rest > 1 or points % 4 or points in (4, 8)


@pytest.mark.parametrize("points", POINTS)
def test_the_passes_leave_every_bin_in_its_place(points):
    z = np.random.default_rng(0).standard_normal((points, 2)) @ [1, 1j]
    expected = np.fft.fft(z)
    pairs = twiddles(points).astype(float)
    for radix, size, begin in passes(points):
        stride = size // radix
        for group in range(points // size):
            here = slice(group * size, (group + 1) * size)
            block = np.fft.fft(z[here].reshape(radix, stride), axis=0)
            for j in range(stride):
                for q in range(1, radix):
                    at = begin + 2 * (radix - 1) * j + 2 * (q - 1)
                    block[q, j] *= pairs[at] + 1j * pairs[at + 1]
            z[here] = block.reshape(-1)
    assert sorted(places(points)) == list(range(points))
    assert np.allclose(z[places(points)], expected, atol=1e-4)


def test_a_half_turn_lies_between_the_first_bin_and_the_last():
    pairs = half_turns(8).reshape(-1, 2)
    assert np.allclose(pairs @ [1, 1j], np.exp(1j * np.linspace(0, np.pi, 9)))
