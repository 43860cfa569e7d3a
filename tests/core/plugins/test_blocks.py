"""Blocks: their canonical length, cutting and joining, and what joins them to a signal again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.api import ComplexSpectrogram, MagnitudeSpectrogram, Signal, Spec, StftGrid, Waveform, spec_of
from tonearm.plugins.blocks import Recut, array_of, blocks_of, canonical_length, signal_of

GRID = StftGrid(sample_rate=16000, n_fft=512, hop_length=160, win_length=512)


@dataclass(frozen=True, kw_only=True)
class Pair(Signal):
    """A signal of two arrays."""

    port = "pair"
    left: Any = field(repr=False)
    right: Any = field(repr=False)

    def arrays(self) -> tuple[Any, ...]:
        return self.left, self.right


@pytest.mark.parametrize(("hop_length", "frames"), [(160, 12), (2048, 1), (2049, 1), (1, 2048)])
def test_a_canonical_block_of_frames_spans_2048_samples_at_most_but_one_frame(hop_length: int, frames: int) -> None:
    grid = StftGrid(sample_rate=16000, n_fft=4096, hop_length=hop_length, win_length=4096)
    assert canonical_length(Spec(signals=(ComplexSpectrogram,)).carrying(grid)) == frames


def test_it_is_2048_samples_or_a_single_frame_of_what_has_no_grid() -> None:
    assert canonical_length(Spec(signals=(Waveform,))) == 2048
    assert canonical_length(Spec(signals=(Pair,))) == 1


def test_blocks_are_views_and_the_last_is_shorter() -> None:
    values = np.arange(10).reshape(2, 5)
    found = list(blocks_of(values, 2))
    assert [block.tolist() for block in found] == [[[0, 1], [5, 6]], [[2, 3], [7, 8]], [[4], [9]]]
    assert all(block.base is not None for block in found)


@given(st.integers(0, 9), st.lists(st.integers(0, 25), max_size=12))
def test_recut_blocks_have_the_length_asked_for_and_all_samples_in_order(length: int, cuts: list[int]) -> None:
    recut, made, at = Recut(length), [], 0
    for count in cuts:
        block = np.arange(at, at + count).reshape(1, -1)
        at += count
        made.extend(piece.copy() for piece in recut.push(block))
        block[:] = -1  # the host uses its memory again
    assert all(piece.shape[-1] == length for piece in made) or not length
    rest = recut.rest()
    if rest is not None:
        assert 0 < rest.shape[-1] < length
        made.append(rest)
    assert [value for piece in made for value in piece[0]] == list(range(at))
    assert recut.rest() is None


def test_blocks_that_fit_are_not_copied() -> None:
    block = np.zeros((1, 8))
    assert all(np.shares_memory(piece, block) for piece in Recut(4).push(block))
    assert [piece is block for piece in Recut(0).push(block)] == [True]


@pytest.mark.parametrize(
    "signal",
    [Waveform(samples=np.ones((2, 7), "f4"), sample_rate=16000),
     ComplexSpectrogram(values=np.ones((2, 257, 3), "c8"), grid=GRID, length=400),
     MagnitudeSpectrogram(values=np.ones((1, 257, 3), "f4"), grid=GRID)],
)  # fmt: skip
def test_a_specification_and_an_array_make_the_signal_again(signal: Any) -> None:
    found = signal_of(spec_of(signal), array_of(signal))
    assert type(found) is type(signal)
    assert array_of(found) is array_of(signal)
    assert {name: value for name, value in vars(found).items() if name not in ("samples", "values")} == {
        name: value for name, value in vars(signal).items() if name not in ("samples", "values")
    }


def test_a_signal_of_several_arrays_is_refused() -> None:
    with pytest.raises(TypeError, match="a pair has 2 arrays, and blocks are of one"):
        array_of(Pair(left=np.zeros(1), right=np.zeros(1)))
