"""Text made of numbers: the marks of patterns that stand for one text."""

import re

import pytest

from tonearm.recipes.tokens.lay_text import mark_of, text_of


@pytest.mark.parametrize(
    ("pattern", "mark"),
    [
        (r"<custom_token_(\d+)>", ("<custom_token_", ">")),
        (r"<\|s_(\d+)\|>", ("<|s_", "|>")),
        (r"\[([0-9]+)\] ", ("[", "] ")),
        (r"(\d+)", ("", "")),
    ],
)
def test_the_mark_of_a_pattern(pattern, mark):
    assert mark_of(pattern) == mark
    assert re.fullmatch(pattern, f"{mark[0]}15{mark[1]}")[1] == "15"


@pytest.mark.parametrize(
    "pattern", [r"<s_(\d{4})>", r"<s.(\d+)>", r"<[st](\d+)>", r"\s(\d+)", r"a*(\d+)", r"(\d+)$", r"(.)"]
)
def test_a_pattern_of_several_texts_has_none(pattern):
    assert mark_of(pattern) is None


def test_the_books_of_a_frame_stand_together():
    assert text_of([[1, 2], [3, 4]], [r"<a(\d+)>", r"<b(\d+)>"]) == "<a1><b3><a2><b4>"
    assert text_of([[1, 2]], [r"<a(\d+)>"]) == "<a1><a2>"
