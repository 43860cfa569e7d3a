"""Axes of arrays of tokens: every order, folded ones, spare ones and missing ones."""

import itertools

import numpy as np
import pytest

from tonearm.errors import ItemError, SetOption
from tonearm.recipes.tokens.layout_checks import AXES
from tonearm.recipes.tokens.undo_axes import arranged, rows_of_ids

WHOLE = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)


@pytest.mark.parametrize("order", [*itertools.permutations(range(5))])
def test_every_order_of_axes_is_the_same_array(order):
    axes = [AXES[index] for index in order]
    np.testing.assert_array_equal(arranged(WHOLE.transpose(order), axes, {}), WHOLE)


@pytest.mark.parametrize("folded", [*itertools.permutations(("batch", "channel", "book"))])
def test_folded_axes_are_divided_by_the_known_sizes(folded):
    array = WHOLE[:, :, 0]  # batch, channel, book, frame
    order = [("batch", "channel", "book").index(name) for name in folded]
    flat = array.transpose(*order, 3).reshape(-1, 6)
    found = arranged(flat, [f"({' '.join(folded)})", "frame"], {"book": 5, "channel": 3})
    np.testing.assert_array_equal(found[:, :, 0], array)


def test_frames_may_be_folded():
    """As where left and right take turns in time."""
    found = arranged(np.arange(8).reshape(2, 4), ["book", "(frame channel)"], {"channel": 2})
    assert found[0, :, 0].tolist() == [[[0, 2], [4, 6]], [[1, 3], [5, 7]]]


def test_what_is_unknown_of_a_folded_axis_is_books_and_then_the_batch():
    assert arranged(np.zeros((6, 2)), ["(batch book)", "frame"], {}).shape == (1, 1, 1, 6, 2)
    assert arranged(np.zeros((6, 2)), ["(batch book channel)", "frame"], {"book": 3}).shape == (2, 1, 1, 3, 2)


def test_a_folded_axis_of_other_books_is_refused():
    with pytest.raises(ItemError, match=r"has 9 rows, which are not whole sets of 4 \(book\)") as caught:
        arranged(np.zeros((9, 2)), ["(batch book)", "frame"], {"book": 4})
    assert caught.value.code == "wrong-books"
    with pytest.raises(ItemError, match=r"not whole sets of 2 \(channel\) × 4 \(book\)"):
        arranged(np.zeros((16, 2)), ["(channel book)", "frame"], {"book": 4, "channel": 2})


@pytest.mark.parametrize(
    ("shape", "axes", "wanted"),
    [
        ((4, 6), ("batch", "book", "frame"), (1, 1, 1, 4, 6)),
        ((6,), ("batch", "book", "frame"), (1, 1, 1, 1, 6)),
        ((6, 4), ("batch", "frame", "book"), (1, 1, 1, 4, 6)),
        ((1, 4, 6), ("segment", "batch", "book", "frame"), (1, 1, 1, 4, 6)),
        ((1, 1, 4, 6), ("book", "frame"), (1, 1, 1, 4, 6)),
        ((4, 1, 6), ("book", "frame"), (1, 1, 1, 4, 6)),
        ((1, 1, 1), ("book", "frame"), (1, 1, 1, 1, 1)),
    ],
)
def test_spare_axes_of_size_1_go_and_first_names_may_lack(shape, axes, wanted):
    assert arranged(np.zeros(shape), axes, {}).shape == wanted


def test_a_first_axis_that_may_be_a_batch_or_segments_is_not_guessed():
    with pytest.raises(ItemError, match=r"shape \(2, 4, 6\) may be 2 elements of a batch, or 2 segments") as caught:
        arranged(np.zeros((2, 4, 6)), ("segment", "batch", "book", "frame"), {})
    assert caught.value.remedies == (
        SetOption("axes", ["batch", "book", "frame"], "if it is a batch"),
        SetOption("axes", ["segment", "book", "frame"], "if segments follow one another in time"),
    )
    for axis, wanted in (("batch", (2, 1, 1, 4, 6)), ("segment", (1, 1, 2, 4, 6))):
        assert arranged(np.zeros((2, 4, 6)), (axis, "book", "frame"), {}).shape == wanted


def test_a_spare_first_axis_is_a_batch_if_the_books_are_as_many_as_known():
    assert arranged(np.zeros((2, 8, 6)), ("book", "frame"), {"book": 8}).shape == (2, 1, 1, 8, 6)
    assert arranged(np.zeros((2, 6, 8)), ("frame", "book"), {"book": 8}).shape == (2, 1, 1, 8, 6)
    with pytest.raises(ItemError, match=r"the axes are book, frame, but the array has 3 axes") as caught:
        arranged(np.zeros((2, 4, 6)), ("book", "frame"), {"book": 8})
    assert caught.value.remedies == (SetOption("axes", ["batch", "book", "frame"], "if the first axis is a batch"),)


def test_too_many_axes_are_refused():
    with pytest.raises(ItemError, match="name each axis of the array, in its order") as caught:
        arranged(np.zeros((2, 3, 4, 5)), ("book", "frame"), {})
    assert caught.value.code == "axes-mismatch"


@pytest.mark.parametrize("shape", [(6,), (1, 6), (6, 1), (1, 1, 6)])
def test_flat_ids_are_one_sequence(shape):
    assert rows_of_ids(np.arange(6).reshape(shape), None).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_flat_ids_are_a_batch_of_sequences():
    assert rows_of_ids(np.arange(6).reshape(2, 1, 3), None).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert rows_of_ids(np.arange(6).reshape(2, 3), ("token", "batch")).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert rows_of_ids(np.array([[7]]), None).tolist() == [[7]]
    with pytest.raises(ItemError, match=r"one sequence or a batch of them, not an array of shape \(2, 3, 4\)"):
        rows_of_ids(np.zeros((2, 3, 4)), None)
