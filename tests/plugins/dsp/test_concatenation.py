"""Concatenation: lengths, gaps and crossfades, whatever is short."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.dsp.concatenation import concatenate


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 60))
def test_the_length_with_crossfades_over_short_pieces(lengths: list[int], crossfade: int) -> None:
    found = concatenate([np.ones((2, length)) for length in lengths], crossfade=crossfade)
    expected = lengths[0]
    for length in lengths[1:]:
        expected += length - min(crossfade, expected, length)
    assert found.shape == (2, expected)
    np.testing.assert_allclose(found, 1, atol=1e-12)


def test_a_gap_is_silent() -> None:
    one, other = np.random.default_rng(0).uniform(0.5, 1, (2, 3, 20))
    found = concatenate([one, other], gap=7)
    np.testing.assert_array_equal(found, np.concatenate([one, np.zeros((3, 7)), other], axis=1))


def test_the_precision_is_the_highest_of_all_pieces() -> None:
    single, double = np.ones((1, 4), "f4"), np.ones((1, 4), "f8")
    assert concatenate([single, single], crossfade=2).dtype == "f4"
    assert concatenate([single, double], crossfade=2).dtype == "f8"
