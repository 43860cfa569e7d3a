"""Flat ids made of codes: positions, offsets, streams in turn, and marks."""

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.lay_ids import lay_ids
from tonearm.recipes.tokens.layout import TokenLayout


def ids(levels, **figures):
    layout = from_figures(TokenLayout, figures)
    return lay_ids(layout, [np.array(level, np.int32) for level in levels]).tolist()


def test_levels_take_their_positions_with_offsets():
    levels = [[[0, 7]], [[1, 4, 8, 11]], [[2, 3, 5, 6, 9, 10, 12, 13]]]
    assert ids(levels, interleave=[0, 1, 2, 2, 1, 2, 2]) == list(range(14))
    assert ids([[[1, 2]], [[3, 4]]], interleave=[1, 0], offset=100, per_position=10) == [103, 111, 104, 112]


def test_marks_stand_round_the_tokens():
    assert ids([[[1, 2]]], interleave=[0], start_after=90, end_at=[91, 92]) == [90, 1, 2, 91]
    sections = {"start": 80, "end": 81, "skip_first_id": 82}
    assert ids([[[1, 2]]], interleave=[0], sections=sections, end_at=[91]) == [80, 82, 1, 2, 91, 81]
    assert ids([[[1]]], interleave=[0], sections={"start": 80, "end": 81}) == [80, 1, 81]


def test_streams_stand_in_turn():
    assert ids([[[1, 2], [3, 4]]], interleave=[0], streams=2) == [1, 3, 2, 4]


def test_codes_that_are_no_whole_frames_are_refused():
    with pytest.raises(ItemError, match="3 codes of a book are not whole frames of 2") as caught:
        ids([[[1, 2, 3]], [[4, 5, 6]]], interleave=[0, 0, 1, 1])
    assert caught.value.code == "incomplete-frame"
