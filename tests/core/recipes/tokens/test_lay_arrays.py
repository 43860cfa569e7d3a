"""Arrays made of codes: marks, delays, segments and axes."""

import itertools

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.lay_arrays import by_axes, lay_array
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.layout_checks import AXES
from tonearm.recipes.tokens.undo_axes import arranged

CODES = np.array([[[1, 2], [3, 4]]], np.int32)


def laid(segments=None, codes=CODES, **figures):
    return lay_array(from_figures(TokenLayout, {"axes": ["book", "frame"]} | figures), codes, segments).tolist()


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        ({}, [[1, 2], [3, 4]]),
        ({"axes": ["batch", "frame", "book"]}, [[[1, 3], [2, 4]]]),
        ({"offset": 10, "offset0": 100}, [[111, 112], [13, 14]]),
        ({"end": {"all": 0}}, [[1, 2, 0], [3, 4, 0]]),
        ({"end": {"all": 9}, "fill": 7}, [[1, 2, 9], [3, 4, 9]]),
        ({"end": {"book": 1, "id": 9}}, [[1, 2, 0], [3, 4, 9]]),
        ({"end": {"book": 1, "id": 9}, "fill": 7}, [[1, 2, 7], [3, 4, 9]]),
        ({"delays": [0, 1], "fill": 7}, [[1, 2, 7], [7, 3, 4]]),
        ({"delays": [1, 3], "fill": 7}, [[7, 1, 2, 7, 7], [7, 7, 7, 3, 4]]),
        ({"columns": [2, 1], "fill": 7}, [[7, 7, 1, 2, 7], [7, 7, 3, 4, 7]]),
        ({"trim": [1, 1], "delays": [0, 1], "fill": 7}, [[7, 1, 2, 7, 7], [7, 7, 3, 4, 7]]),
        ({"lead_rows": {"book": 0, "id": 9}}, [[9, 1, 2], [9, 3, 4]]),
        (
            {"lead_delayed": {"all": 8}, "end_delayed": {"all": 9}, "delays": [0, 1]},
            [[8, 1, 2, 9, 9], [8, 8, 3, 4, 9]],
        ),
    ],
)
def test_each_field_is_laid(figures, wanted):
    assert laid(**figures) == wanted


def test_segments_of_one_length_are_an_axis():
    axes = ["segment", "book", "frame"]
    assert laid([1, 1], axes=axes) == [[[1], [3]], [[2], [4]]]
    codes = np.arange(3, dtype=np.int32)[None, None]
    assert laid([2, 1], codes, axes=axes, trim=[0, 1], fill=0) == [[[0, 1]], [[2, 0]]]


@pytest.mark.parametrize("segments", [[2, 1], [1, 2]])
def test_segments_of_other_lengths_are_refused(segments):
    with pytest.raises(ItemError, match="do not fit an array, whose segments have one length"):
        laid(segments, np.zeros((1, 1, 3), np.int32), axes=["segment", "book", "frame"])


@pytest.mark.parametrize("order", [*itertools.permutations(("channel", "segment", "book", "frame"))])
def test_axes_are_laid_in_every_order(order):
    whole = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(arranged(by_axes(whole, order), order, {})[0], whole)
    folded = [f"({' '.join(order[:3])})", order[3]]
    sizes = dict(zip(AXES[1:], whole.shape, strict=True))
    np.testing.assert_array_equal(arranged(by_axes(whole, folded), folded, sizes)[0], whole)


@pytest.mark.parametrize(
    ("shape", "name"), [((2, 1, 1, 3), "channel"), ((1, 2, 1, 3), "segment"), ((1, 1, 2, 3), "book")]
)
def test_an_axis_that_the_layout_lacks_is_refused(shape, name):
    with pytest.raises(ItemError, match=f"the tokens have 2 {name}s, but the layout has no {name} axis") as caught:
        by_axes(np.zeros(shape), ["frame"])
    assert caught.value.code == "axes-mismatch"
