"""The tables of the real FFT, in NumPy."""

import math

import numpy as np
import pytest

from tonearm_plugins.dsp.engines.native.butterflies import DFT
from tonearm_plugins.dsp.engines.native.fft import half_turns, passes, places, radices, twiddles

POINTS = (16, 32, 200, 240, 256, 400, 512, 960, 1024, 2048)


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("overlap", [1, 4, 8])
def test_only_two_or_more_radices_of_2_3_and_5_make_an_fft(lanes, overlap):
    for points in range(1, 3000):
        rest = points
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        found = radices(points, 2 * points // overlap, lanes)
        if found is not None:
            assert math.prod(found) == points
            assert len(found) > 1
            assert set(found) <= set(DFT)
            assert lanes == 16 or 8 not in found[1:]
        else:
            assert rest > 1 or points % 4 or points in (4, 8)


@pytest.mark.parametrize("overlap", [2, 4, 8])
@pytest.mark.parametrize("points", POINTS)
def test_samples_that_overlap_meet_in_one_butterfly(points, overlap):
    """A butterfly of the first pass has every (points / first)-th point, two samples each."""
    first = radices(points, 2 * points // overlap, 16)[0]
    assert (2 * points // overlap) % (2 * points // first) == 0


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("overlap", [4, 8])
@pytest.mark.parametrize("points", POINTS)
def test_the_passes_leave_every_bin_in_its_place(points, overlap, lanes):
    z = np.random.default_rng(0).standard_normal((points, 2)) @ [1, 1j]
    expected = np.fft.fft(z)
    found = radices(points, 2 * points // overlap, lanes)
    pairs = twiddles(found).astype(float)
    for radix, size, begin in passes(found):
        stride = size // radix
        for group in range(points // size):
            here = slice(group * size, (group + 1) * size)
            block = np.fft.fft(z[here].reshape(radix, stride), axis=0)
            for j in range(stride):
                for q in range(1, radix):
                    at = begin + 2 * (radix - 1) * j + 2 * (q - 1)
                    block[q, j] *= pairs[at] + 1j * pairs[at + 1]
            z[here] = block.reshape(-1)
    assert sorted(places(found)) == list(range(points))
    assert np.allclose(z[places(found)], expected, atol=1e-4)


def test_a_half_turn_lies_between_the_first_bin_and_the_last():
    pairs = half_turns(8).reshape(-1, 2)
    assert np.allclose(pairs @ [1, 1j], np.exp(1j * np.linspace(0, np.pi, 9)))
