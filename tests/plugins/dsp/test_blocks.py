"""Blocks: they cover a signal once, in order, and cut no unit in two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH, block_slices


@given(length=st.integers(0, 500), size=st.integers(1, 60), multiple=st.integers(1, 90))
def test_blocks_cover_every_sample_once_and_in_order(length: int, size: int, multiple: int) -> None:
    blocks = list(block_slices(length, size, multiple_of=multiple))
    assert [i for part in blocks for i in range(part.start, part.stop)] == list(range(length))
    for part in blocks[:-1]:
        assert part.stop - part.start <= max(size, multiple)
        assert (part.stop - part.start) % multiple == 0


def test_blocks_are_as_long_as_they_may_be() -> None:
    assert [part.stop - part.start for part in block_slices(2 * BLOCK_LENGTH + 5)] == [BLOCK_LENGTH, BLOCK_LENGTH, 5]
    assert [part.stop - part.start for part in block_slices(100, 40, multiple_of=15)] == [30, 30, 30, 10]


def test_a_block_is_reported_once_it_is_done() -> None:
    reported: list[tuple[float, float]] = []
    before = [len(reported) for _ in block_slices(10, 4, on_progress=lambda *amounts: reported.append(amounts))]
    assert before == [0, 1, 2]
    assert reported == [(4, 10), (8, 10), (10, 10)]
