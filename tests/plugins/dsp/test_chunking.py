"""Chunks: what is kept of them covers all frames, and each has its overlap."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tonearm_plugins.dsp.chunking import overlapping_chunks


@given(frames=st.integers(1, 400), size=st.integers(1, 100), overlap=st.integers(0, 40))
def test_kept_frames_follow_one_another_and_have_their_overlap(frames: int, size: int, overlap: int) -> None:
    assume(size > 2 * overlap)
    chunks = list(overlapping_chunks(frames, size, overlap))
    assert [frame for chunk in chunks for frame in range(chunk.keep_from, chunk.keep_to)] == list(range(frames))
    for chunk in chunks:
        assert chunk.last - chunk.first == min(size, frames)
        assert 0 <= chunk.first <= max(chunk.keep_from - overlap, 0)
        assert min(chunk.keep_to + overlap, frames) <= chunk.last <= frames
