"""Chunks of frames: what is kept covers the signal once, with its context."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.networks.chunks import (
    CHUNK_SAMPLES,
    MAX_CHUNK,
    Chunk,
    Cutting,
    chosen_frames,
    cutting_for,
    fixed_cutting,
)
from tonearm_plugins.networks.receptive_field import ReceptiveField


def check(cutting: Cutting, chunks: list[Chunk], frames: int) -> None:
    assert chunks[0].keep_from == 0
    assert chunks[-1] == Chunk(chunks[-1].first, frames, chunks[-1].keep_from, frames, is_last=True)
    for before, after in pairwise(chunks):
        assert before.keep_to == after.keep_from
        assert not before.is_last
        assert before.last - before.first == cutting.size
    for chunk in chunks:
        assert 0 <= chunk.first <= chunk.keep_from < chunk.keep_to <= chunk.last <= frames
        assert chunk.first in (0, chunk.keep_from) or chunk.keep_from - chunk.first >= cutting.left
        assert chunk.is_last or chunk.last - chunk.keep_to >= cutting.right
        assert chunk.first % cutting.step == 0


FIELDS = st.builds(ReceptiveField, st.integers(0, 12), st.integers(0, 12), st.sampled_from([1, 2, 4]))


@given(field=FIELDS, kept=st.integers(1, 40), frames=st.integers(1, 300), data=st.data())
def test_streams_and_wholes_are_cut_alike(field: ReceptiveField, kept: int, frames: int, data: Any) -> None:
    cutting = cutting_for(field, kept)
    assert cutting.kept >= kept
    whole = list(cutting.rest(0, frames))
    check(cutting, whole, frames)
    done: list[Chunk] = []
    for come in sorted(data.draw(st.lists(st.integers(0, frames), max_size=10))):
        done += cutting.complete(done[-1].keep_to if done else 0, come)
    done += cutting.rest(done[-1].keep_to if done else 0, frames)
    assert done == whole


@given(field=st.builds(ReceptiveField, st.integers(0, 9), st.integers(0, 9)), frames=st.integers(24, 200))
def test_windows_of_a_fixed_size_stay_within_the_signal(field: ReceptiveField, frames: int) -> None:
    cutting = fixed_cutting(field, 24)
    chunks = list(cutting.rest(0, frames))
    check(cutting, chunks, frames)
    assert all(chunk.last - chunk.first == 24 for chunk in chunks)


@pytest.mark.parametrize("field", [None, ReceptiveField(12, 12), ReceptiveField(30, 0)])
def test_a_window_smaller_than_the_field_drops_its_quarters(field: ReceptiveField | None) -> None:
    assert fixed_cutting(field, 24) == Cutting(24, 6, 6, is_fixed=True)


def test_the_overlap_costs_an_eighth_at_most() -> None:
    assert chosen_frames(ReceptiveField(0, 0), 256) == CHUNK_SAMPLES // 256
    assert chosen_frames(ReceptiveField(0, 0), 10) == MAX_CHUNK
    assert chosen_frames(ReceptiveField(400, 400), 256) == 6400
    assert chosen_frames(ReceptiveField(0, 0), 10**9) == 16
