"""Blocks: they cover a signal once, in order, and cut no unit in two; a tail keeps the last samples back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH, Tail, block_slices, float32_part


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


@given(st.integers(0, 9), st.lists(st.integers(0, 20), max_size=12))
def test_a_tail_keeps_the_last_samples_and_gives_the_others_in_order(length: int, cuts: list[int]) -> None:
    tail, made, at = Tail(length), [], 0
    for count in cuts:
        block = np.arange(at, at + count).reshape(1, -1)
        at += count
        made += tail.push(block)[0].tolist()
        block[:] = -1  # its memory is used again
        assert len(made) == max(0, at - length)
    rest = tail.rest()
    assert made + ([] if rest is None else rest[0].tolist()) == list(range(at))
    assert tail.rest() is None


@given(length=st.integers(0, 30), start=st.integers(-40, 40), size=st.integers(0, 40))
def test_a_part_has_silence_where_the_channel_has_nothing(length: int, start: int, size: int) -> None:
    channel = np.arange(1, length + 1, dtype="f4")
    wanted = [channel[i] if 0 <= i < length else 0 for i in range(start, start + size)]
    assert float32_part(channel, start, size).tolist() == wanted
    assert float32_part(channel.astype("f8"), start, size).tolist() == wanted


def test_a_part_is_copied_only_if_it_has_to_be() -> None:
    samples = np.ones((100, 2), "f4")
    assert np.shares_memory(float32_part(samples.reshape(-1), 10, 50), samples)
    for part in (float32_part(samples[:, 0], 10, 50), float32_part(samples.reshape(-1), 199, 2)):
        assert not np.shares_memory(part, samples)
        assert part.flags.c_contiguous
    assert float32_part(np.array([1e300, np.nan]), 0, 2).dtype == np.float32
