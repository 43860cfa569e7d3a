"""Arrays of tokens: rows, steps, delays and ends, and the place of what is wrong."""

import numpy as np
import pytest

from tonearm.errors import ItemError, SetOption
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo_arrays import has_segments, undo_array

GRID = {"axes": ["book", "frame"]}


def layout_of(**figures):
    return from_figures(TokenLayout, GRID | figures)


def codes(ids, **figures):
    found, sound = undo_array(layout_of(**figures), np.array([ids], np.int64))
    assert found.dtype == np.int32
    return found[0].tolist() if sound is None else (found[0].tolist(), sound)


RAW = [[0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25]]


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        ({"rows": [1, 2]}, [[10, 11, 12, 13, 14, 15]]),
        ({"rows": [0, 2], "columns": [1, 3]}, [[1, 2], [11, 12]]),
        ({"delays": [0, 1, 2]}, [[0, 1, 2, 3], [11, 12, 13, 14], [22, 23, 24, 25]]),
        ({"delays": [2, 0, 1]}, [[2, 3, 4, 5], [10, 11, 12, 13], [21, 22, 23, 24]]),
        ({"delays": [1, 2, 2]}, [[1, 2, 3, 4], [12, 13, 14, 15], [22, 23, 24, 25]]),
        ({"columns": [1, 0], "delays": [0, 1, 2]}, [[1, 2, 3], [12, 13, 14], [23, 24, 25]]),
        ({"delays": [0, 1, 2], "trim": [1, 1]}, [[1, 2], [12, 13], [23, 24]]),
        ({"delays": [0, 1, 2], "end": {"book": 1, "id": 13}}, [[0, 1], [11, 12], [22, 23]]),
        ({"delays": [0, 1, 2], "end": {"book": 1, "id": 99}}, [[0, 1, 2, 3], [11, 12, 13, 14], [22, 23, 24, 25]]),
        ({"lead_rows": {"book": 1, "id": 10}}, [row[1:] for row in RAW]),
        ({"lead_rows": {"book": 1, "id": 11}}, RAW),
        ({"last_not": {"book": 2, "id": 25}}, [row[:5] for row in RAW]),
        ({"offset": -1}, [[code + 1 for code in row] for row in RAW]),
        ({"rows": [1, 3], "offset0": 10}, [[0, 1, 2, 3, 4, 5], RAW[2]]),
    ],
)
def test_each_field_does_its_part_in_order(figures, wanted):
    assert codes(RAW, **figures) == wanted


def test_leading_marks_go_until_the_first_step_without():
    assert codes([[9, 9, 1, 9, 2], [3, 4, 5, 6, 7]], lead_rows={"book": 0, "id": 9}) == [[1, 9, 2], [5, 6, 7]]
    assert codes([[9, 9, 1], [9, 4, 5]], lead_rows={"all": 9}) == [[9, 1], [4, 5]]
    assert codes([[9, 9]], lead_rows={"book": 0, "id": 9}) == [[]]


def test_delayed_marks_stand_between_the_steps():
    """The last step of all starts, the first step of all ends."""
    ids = [[7, 7, 1, 2, 8, 8, 8], [7, 7, 7, 3, 4, 8, 8]]
    marks = {"lead_delayed": {"all": 7}, "end_delayed": {"all": 8}, "delays": [0, 1]}
    assert codes(ids, **marks) == [[1, 2], [3, 4]]
    assert codes([[1, 2, 8], [7, 3, 4]], **marks) == [[1, 2], [3, 4]]


def test_an_end_of_all_books_is_not_that_of_one():
    assert codes([[1, 0, 0, 5], [2, 3, 0, 6]], end={"all": 0}) == [[1, 0], [2, 3]]


def test_the_last_frame_without_a_mark_is_the_end():
    """A mark in the middle ends nothing."""
    assert codes([[1, 2, 3, 4], [5, 9, 6, 9]], last_not={"book": 1, "id": 9}) == [[1, 2, 3], [5, 9, 6]]
    assert codes([[1, 2], [9, 9]], last_not={"book": 1, "id": 9}) == [[], []]


def test_the_offset_of_the_first_book_alone():
    """As MOSS-TTSD writes it: the first book within the vocabulary of text, a filler in the others."""
    ids = [[1005, 1006, 9, 9], [30, 3, 4, 30]]
    figures = {"delays": [0, 1], "last_not": {"book": 1, "id": 30}, "offset0": 1000, "size": 30}
    assert codes(ids, **figures) == [[5, 6], [3, 4]]


def test_padding_is_no_code_even_behind_an_offset():
    assert codes([[11, 12, -1], [13, -1, -1]], pad=-1, offset=10, size=8) == ([[1, 2, 0], [3, 0, 0]], 2)


def test_frames_that_are_left_out_are_not_sound():
    assert codes([[1, 9, 2, -1]], pad=-1, size=8, invalid="drop_frame") == ([[1, 2, 0]], 2)


@pytest.mark.parametrize("steps", [1, 2])
def test_too_few_steps_for_a_frame(steps):
    with pytest.raises(
        ItemError, match=f"{steps} steps are not a whole frame, whose books are delayed by up to 2"
    ) as it:
        codes([row[:steps] for row in RAW], delays=[0, 1, 2])
    assert it.value.code == "incomplete-frame"


def test_more_columns_than_steps():
    with pytest.raises(ItemError, match=r"the array has 6 steps, but the layout cuts 7 \(columns\)") as caught:
        codes(RAW, columns=[3, 4])
    assert caught.value.code == "no-tokens"


def test_a_trim_longer_than_the_tokens_leaves_none():
    assert codes(RAW, trim=[4, 4]) == [[], [], []]


def test_a_wrong_number_of_books_names_both():
    with pytest.raises(ItemError, match="the array has 3 books, but the layout spelled out has 4") as caught:
        codes(RAW, delays=[0, 1, 2, 3])
    assert (caught.value.code, caught.value.hint) == ("wrong-books", "check the layout, and the order of its axes")
    with pytest.raises(ItemError, match="the array has 1 book, but"):
        codes(RAW[:1], delays=[0, 1, 2, 3])


def test_books_that_stand_along_the_other_axis():
    with pytest.raises(ItemError, match="the array has 3 books, but the layout spelled out has 6") as caught:
        codes(RAW, codebooks=6)
    assert caught.value.remedies == (SetOption("axes", ["frame", "book"]),)


def test_rows_that_the_array_lacks():
    with pytest.raises(ItemError, match="the array has 3 rows, but rows 1 to 8 hold the codes"):
        codes(RAW, rows=[1, 9])


def test_more_books_than_any_codec_has():
    with pytest.raises(ItemError, match="the array has 431 books of 2 frames, more than any codec"):
        codes([[0, 1]] * 431)


def test_a_code_out_of_range_is_named_by_frame_and_step():
    ids = [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 50, 6], [0, 1, 2, 3, 4, 5, 60]]
    with pytest.raises(ItemError) as caught:
        codes(ids, columns=[1, 0], delays=[0, 1, 2], trim=[1, 0], size=8)
    assert caught.value.message == (
        "book 1, frame 2 (step 5 of the array) is code 50, but codes are at most 7; 2 codes are out of range"
    )


@pytest.mark.parametrize(
    "marks", [{"lead_rows": {"all": 9}}, {"lead_delayed": {"all": 9}}, {"lead_rows": {"all": 9}, "columns": [0, 1]}]
)
def test_places_count_the_steps_that_are_cut_at_the_start(marks):
    with pytest.raises(ItemError, match=r"book 0, frame 1 \(step 3 of the array\) is code 8, but"):
        codes([[9, 9, 1, 8, 2], [9, 9, 3, 4, 5]], size=8, **marks)


def test_channels_are_named_where_there_are_several():
    with pytest.raises(ItemError, match=r"channel 1, book 0, frame 1 is code 9, but codes are at most 7"):
        undo_array(layout_of(size=8), np.array([[[1, 2]], [[3, 9]]]))


def test_sizes_differ_by_book():
    with pytest.raises(ItemError, match="book 1, frame 0 is code 8, but codes are at most 7"):
        codes([[9, 9], [8, 0]], size=[16, 8])


def test_segments_are_those_of_the_axes():
    layout = from_figures(TokenLayout, {"axes": ["segment", "book", "frame"]})
    assert has_segments(layout, None)
    assert not has_segments(layout, ("book", "frame"))


@pytest.mark.parametrize("name", ["lead_rows", "lead_delayed", "end_delayed", "end", "last_not"])
def test_a_mark_in_a_book_that_the_array_has_not(name):
    with pytest.raises(ItemError, match="a mark of the layout is in book 3, but the array has 3 books") as caught:
        codes(RAW, **{name: {"book": 3, "id": 1}})
    assert caught.value.code == "wrong-books"
