"""Blocks that are gathered: none too short but the last, and none lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.encoders.gathering import Gathering


@given(lengths=st.lists(st.integers(0, 40), max_size=30), shortest=st.integers(0, 30))
def test_no_block_is_too_short_and_none_is_lost(lengths: list[int], shortest: int) -> None:
    samples = np.arange(2 * sum(lengths)).reshape(2, -1)
    gathering, found, at = Gathering(shortest), [np.empty((2, 0), int)], 0
    for length in lengths:
        block = samples[:, at : at + length].copy()
        at += length
        given_back = gathering.push(block)
        if given_back is not None:
            assert given_back.shape[1] >= shortest
            found.append(given_back.copy())
        block[:] = -1  # the memory of the caller
    rest = gathering.rest()
    if rest is not None:
        assert rest.shape[1] < shortest
        found.append(rest)
    np.testing.assert_array_equal(np.concatenate(found, axis=1), samples)


def test_long_blocks_are_given_as_they_are() -> None:
    block = np.zeros((1, 9))
    assert Gathering(9).push(block) is block
