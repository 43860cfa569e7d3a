"""Blocks of arrays: together they are the array, and none is larger than the limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tonearm.findings.blocks import blocks


def shapes_and_orders() -> Any:
    shapes = hnp.array_shapes(max_dims=4, max_side=9)
    return shapes.flatmap(lambda shape: st.permutations(range(len(shape))).map(lambda order: (shape, order)))


@given(shapes_and_orders(), st.integers(2, 50))
def test_blocks_make_up_the_array(made: Any, limit: int) -> None:
    shape, order = made
    array = np.arange(math.prod(shape)).reshape(shape).transpose(order)
    found = list(blocks(array, limit))
    assert sorted(np.concatenate([block.ravel() for block in found]).tolist()) == list(range(array.size))
    assert all(block.size <= limit for block in found)
    assert all(np.shares_memory(block, array) for block in found)
