"""Ragged tokens: lengths in the ratio of the strides, and the place of what is wrong."""

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo_levels import undo_levels


def layout_of(**figures):
    return from_figures(TokenLayout, {"ragged": True} | figures)


def levels_of(*lengths):
    return [np.arange(length)[None] for length in lengths]


@pytest.mark.parametrize(
    ("lengths", "strides"),
    [((3, 6, 12), (4, 2, 1)), ((2, 4, 8, 16), (8, 4, 2, 1)), ((5, 15), (3, 1)), ((4, 4), (1, 1))],
)
def test_strides_follow_from_the_lengths(lengths, strides):
    codes, found = undo_levels(layout_of(size=16), levels_of(*lengths))
    assert found == strides
    assert [level.tolist() for level in codes] == [[list(range(length))] for length in lengths]


@pytest.mark.parametrize(
    ("figures", "lengths", "message", "hint"),
    [
        (
            {"strides": [4, 2, 1]},
            (3, 6, 11),
            "the levels have 3, 6, 11 frames, not in the ratio 1:2:4",
            "may be cut off",
        ),
        ({"strides": [4, 2, 1]}, (12, 6, 3), "12, 6, 3 frames, not in the ratio 1:2:4", "give the coarse level first"),
        ({}, (3, 7), "3, 7 frames, not in the ratio of whole numbers", "may be cut off"),
        ({}, (6, 3), "6, 3 frames, not in the ratio of whole numbers", "give the coarse level first"),
        ({}, (2, 4, 6), "2, 4, 6 frames, not in the ratio of whole numbers", "may be cut off"),
    ],
)
def test_other_lengths_are_refused(figures, lengths, message, hint):
    with pytest.raises(ItemError, match=message) as caught:
        undo_levels(layout_of(**figures), levels_of(*lengths))
    assert caught.value.code == "bad-levels"
    assert hint in caught.value.hint


def test_another_number_of_levels_is_refused():
    with pytest.raises(ItemError, match="there are 2 levels, but the layout spelled out has 3") as caught:
        undo_levels(layout_of(strides=[4, 2, 1]), levels_of(3, 6))
    assert caught.value.code == "wrong-books"


def test_levels_without_tokens():
    with pytest.raises(ItemError, match="the levels hold no token") as caught:
        undo_levels(layout_of(), levels_of(0, 0))
    assert caught.value.code == "no-tokens"


def test_a_code_out_of_range_is_named_by_its_level():
    with pytest.raises(ItemError, match="level 1, frame 3 is code 9, but codes are at most 7"):
        undo_levels(layout_of(size=[16, 8]), [np.array([[9, 9]]), np.array([[1, 2, 3, 9]])])
    with pytest.raises(ItemError, match="channel 1, level 0, frame 0 is code 9"):
        undo_levels(layout_of(size=8), [np.array([[1], [9]]), np.array([[1, 2], [3, 4]])])


def test_a_frame_is_left_out_of_all_levels():
    coarse, fine = undo_levels(
        layout_of(size=8, invalid="drop_frame"), [np.array([[1, 2, 3]]), np.array([[1, 2, 9, 4, 5, 6]])]
    )[0]
    assert (coarse.tolist(), fine.tolist()) == ([[1, 3]], [[1, 2, 5, 6]])
