"""Signals cut into blocks: what a transform at work gives for them, and the sizes that tests try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tonearm.api import Context, Spec
from tonearm.plugins.blocks import array_of
from tonearm.plugins.ports import spec_of

SIZES = st.lists(
    st.sampled_from([0, 1, 1, 2, 3, 7, 8, 15, 16, 17, 40, 100, 255, 257, 700, 3000]), min_size=1, max_size=30
)
"""Sizes of blocks; they repeat until the signal ends."""


def cut(values: Any, sizes: Iterable[int]) -> Iterator[Any]:
    """Yield blocks of these sizes, again and again, until all values have come."""
    sizes = [*sizes, 1] if not any(sizes) else [*sizes]
    at, turn = 0, 0
    while at < values.shape[-1]:
        size = sizes[turn % len(sizes)]
        yield values[..., at : at + size]
        at, turn = at + size, turn + 1


def spec_in_a_stream(signal: Any, *, length: int | None = None) -> Spec:
    """Return what is known of a signal while it comes."""
    return spec_of(signal).replace(length=length)


def streamed(
    transform: Any, signal: Any, sizes: Iterable[int], *, length: int | None = None, context: Context | None = None
) -> Any:
    """Return what a transform gives for a signal in blocks, whose memory is used again after each call."""
    context = context or Context()
    transform.check_blocks(spec_in_a_stream(signal))
    started = transform.start(spec_in_a_stream(signal, length=length), context)
    parts = []
    for block in cut(array_of(signal), sizes):
        lent = block.copy(order="K")
        made = started.push(lent)
        parts.append(made.copy())
        lent[:] = np.nan
    if (rest := started.finish()) is not None:
        parts.append(rest)
    return np.concatenate(parts, axis=-1)


def assert_same_bits(found: Any, expected: Any) -> None:
    """Assert that two arrays are the same, down to the sign of zero."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()
