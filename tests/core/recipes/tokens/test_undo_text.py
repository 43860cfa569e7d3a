"""Text with marks: numbers in their order, pairs by neighbourhood, and streams of fixed length."""

import numpy as np
import pytest

import token_oracles as oracles
from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import undo
from tonearm.recipes.tokens.undo_text import numbers_in, rows_in, undo_streams

PAIRS = [r"<a(\d+)>", r"<b(\d+)>"]


def test_all_else_than_marks_is_ignored():
    assert numbers_in("Hi <s_1>\n<t_9> <s_0><s_23", r"<s_(\d+)>").tolist() == [1, 0]


def test_a_text_without_marks_has_no_tokens():
    with pytest.raises(ItemError, match=r"the text has no mark <s_\(\\d\+\)>") as caught:
        numbers_in("<|im_end|>", r"<s_(\d+)>")
    assert caught.value.code == "no-tokens"


@pytest.mark.parametrize("mark", ["<s_x>", "<s_>", "<s_99999999999999999999>", "<s_2147483648>", "<s_٣>"])
def test_a_mark_without_a_number_that_is_a_token(mark):
    with pytest.raises(ItemError, match=f"the mark {mark} at character 6 of the text has no number") as caught:
        numbers_in(f"<s_12>{mark}", r"<s_([^>]*)>")
    assert caught.value.code == "bad-token"


def test_the_books_of_a_frame_stand_together_in_the_order_of_the_first():
    assert rows_in("<a1><b2> x <a3>\n<b4>", PAIRS).tolist() == [[1, 3], [2, 4]]
    assert rows_in("<b2><a1><b4><a3>", PAIRS).tolist() == [[1, 3], [2, 4]]
    assert rows_in("<a1><b2>", PAIRS).tolist() == [[1], [2]]


def test_books_may_stand_one_after_another():
    assert rows_in("<a1><a3><a5><b2><b4>", PAIRS).tolist() == [[1, 3], [2, 4]]


def test_an_unfinished_last_frame_is_left_out():
    assert rows_in("<a1><b2><a3>", PAIRS).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a1><b2><b4><a5><b6>", "frame 1 lacks its mark of book 0: a mark of book 1 follows"),
        ("<a1><b2><a3><a5><b6>", "frame 1 lacks its mark of book 1: a mark of book 0 follows"),
        ("<a1><b2><a3><b4><b5>", "frame 2 lacks its mark of book 0: a mark of book 1 follows"),
    ],
)
def test_a_lost_mark_is_noticed_where_it_is_lost(text, message):
    with pytest.raises(ItemError, match=message) as caught:
        rows_in(text, PAIRS)
    assert caught.value.code == "incomplete-frame"


def test_a_book_without_marks_is_named():
    with pytest.raises(ItemError, match=r"the text has no mark <b\(\\d\+\)>"):
        rows_in("<a1><a2>", PAIRS)


def test_texts_that_follow_one_another_are_joined_even_within_a_mark():
    layout = from_figures(TokenLayout, {"books": PAIRS, "size": 8})
    (found,) = undo(layout, ["<a1><b2><a", "3>", "<b4>"])
    assert found.codes.tolist() == [[[1, 3], [2, 4]]]


def test_a_code_of_a_book_out_of_range_is_named_by_its_frame():
    layout = from_figures(TokenLayout, {"books": PAIRS, "size": [8, 4], "offset": 1})
    with pytest.raises(ItemError, match="book 1, frame 1 is code 4, but codes are at most 3"):
        list(undo(layout, "<a8><b4><a1><b5>"))


@pytest.mark.parametrize("case", ["both_streams", "global_too_short"])
def test_streams_are_those_of_the_projects_own_code(case):
    layout = from_figures(TokenLayout, oracles.LAYOUTS["spark"])
    found = undo_streams(layout, oracles.raw_of("spark_bicodec", case))
    assert list(found) == ["semantic", "global"]
    for mine, theirs in zip(found.values(), oracles.codes_of("spark_bicodec", case), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_stream_of_fixed_length_is_cut_and_another_must_have_marks():
    layout = from_figures(TokenLayout, {"streams_text": {"a": PAIRS[0], "b": PAIRS[1]}, "fixed": {"b": 2}})
    found = undo_streams(layout, "<a1><b5><b6><b7>")
    assert {name: codes.tolist() for name, codes in found.items()} == {"a": [1], "b": [5, 6]}
    with pytest.raises(ItemError, match=r"the text has no mark <a"):
        undo_streams(layout, "<b5>")
