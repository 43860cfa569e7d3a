"""Contradictions between the fields of a layout, each with the field that it names."""

import pytest

from tonearm.errors import OptionError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.layout_checks import axes_problem, axis_names, axis_parts

GRID = {"axes": ["book", "frame"]}
FLAT = {"interleave": [0, 1]}
TEXT = {"pattern": r"<(\d+)>"}


@pytest.mark.parametrize(
    ("figures", "option", "message"),
    [
        ({}, "axes", "the layout does not tell the form of the tokens"),
        ({"size": 8}, "axes", "the layout does not tell the form of the tokens"),
        (GRID | {"stacked": 4}, "stacked", "axes and stacked exclude each other"),
        (TEXT | {"books": [r"(\d)"]}, "books", "pattern and books exclude each other"),
        (TEXT | GRID, "axes", "pattern and axes exclude each other"),
        ({"ragged": True, "file": "dac"}, "file", "ragged and file exclude each other"),
        (GRID | FLAT, "interleave", "'interleave' has no meaning in a layout of arrays"),
        (GRID | {"start_after": 0}, "start_after", "'start_after' has no meaning in a layout of arrays"),
        (GRID | {"incomplete": "drop"}, "incomplete", "'incomplete' has no meaning in a layout of arrays"),
        ({"stacked": 2, "drop_below": 3}, "drop_below", "'drop_below' has no meaning in a layout of arrays"),
        ({"ragged": True, "delays": [0, 1]}, "delays", "'delays' has no meaning in a layout of arrays"),
        ({"file": "ecdc", "trim": [0, 1]}, "trim", "'trim' has no meaning in a layout of arrays"),
        (FLAT | {"delays": [0, 1]}, "delays", "'delays' has no meaning in a layout of flat ids"),
        (FLAT | {"end": {"all": 0}}, "end", "'end' has no meaning in a layout of flat ids"),
        (TEXT | {"rows": [0, 1]}, "rows", "'rows' has no meaning in a layout of pattern"),
        ({"books": [r"(\d)"], "drop": [3]}, "drop", "'drop' has no meaning in a layout of books"),
        (TEXT | {"fixed": {"global": 32}}, "fixed", "there is no stream global"),
        ({"pattern": r"<(\d+>"}, "pattern", r"<\(\\d\+> is not a regular expression: missing \)"),
        ({"pattern": r"<\d+>"}, "pattern", r"the pattern <\\d\+> has no group for the number"),
        ({"books": [r"(\d)", r"\d"]}, "books", "has no group for the number"),
        ({"streams_text": {"a": r"\d"}}, "streams_text", "has no group for the number"),
        (TEXT | {"per_position": 8}, "per_position", "'per_position' needs interleave"),
        (GRID | {"per_position": 8}, "per_position", "'per_position' has no meaning in a layout of arrays"),
        ({"interleave": [0, 2]}, "interleave", r"interleave \[0, 2\] leaves a book without a position"),
        ({"interleave": [0, 0, 1, 1, 1]}, "interleave", r"levels with \[2, 3\] codes a frame do not come coarse first"),
        ({"interleave": [0, 0, 1]}, "interleave", r"levels with \[2, 1\] codes a frame do not come coarse first"),
        (FLAT | {"strides": [2, 1]}, "strides", r"strides \[2, 1\] contradict interleave, which has \[1, 1\] codes"),
        (FLAT | {"drop_below": 9, "drop_from": 9}, "drop_from", "no id is left between drop_below 9 and drop_from 9"),
        ({"axes": ["book", "time"]}, "axes", "tokens have no time axis, only batch, channel, segment, book, frame"),
        ({"axes": ["frame", "frame"]}, "axes", "axes names frame twice"),
        ({"axes": ["batch", "book"]}, "axes", "axes names no frame axis"),
        ({"axes": ["segment", "frame"], "delays": [1]}, "delays", "segments and delays exclude each other"),
        ({"axes": ["segment", "frame"], "invalid": "drop_frame"}, "invalid", "frames of a segment cannot be left out"),
        (GRID | {"channels": 2}, "channels", "'channels' is the size of a folded axis"),
        (GRID | {"rows": [3, 3]}, "rows", r"rows \[3, 3\] are none"),
        (GRID | {"rows": [1, 9], "delays": [0, 1]}, "delays", "delays has 2 numbers for 8 books"),
        (GRID | {"delays": [0, 1], "size": [1, 2, 3]}, "size", "size has 3 numbers for 2 books"),
        ({"stacked": 4, "delays": [0]}, "delays", "delays has 1 numbers for 4 books"),
        ({"stacked": 4, "codebooks": 8}, "codebooks", "codebooks is 8, but the layout has 4"),
        (FLAT | {"size": [8]}, "size", "size has 1 numbers for 2 books"),
        ({"ragged": True, "strides": [4, 3, 1]}, "strides", r"strides \[4, 3, 1\] are not whole parts of the first"),
        ({"ragged": True, "strides": [4, 2]}, "strides", r"strides \[4, 2\] are not whole parts of the first"),
        (GRID | {"codebooks": 2**40, "size": 4}, "codebooks", "has 1099511627776 books, more than any codec"),
        (GRID | {"rows": [0, 2**40], "size": 4}, "rows", "has 1099511627776 books, more than any codec"),
        ({"interleave": [0, 2**40]}, "interleave", "leaves a book without a position"),
        (GRID | {"strides": [2, 1]}, "strides", "'strides' are of levels that have rates of their own"),
        ({"ragged": True, "strides": [2, 1], "size": [8]}, "size", "size has 1 numbers for 2 books"),
        (GRID | {"delays": [0, 1], "end": {"book": 2, "id": 0}}, "end", "end names book 2, but books go from 0 to 1"),
        (GRID | {"end": {"book": 1}}, "all", "a mark is"),
    ],
)
def test_a_contradiction_names_its_field(figures, option, message):
    with pytest.raises(OptionError, match=message) as caught:
        from_figures(TokenLayout, figures)
    assert caught.value.option == option


@pytest.mark.parametrize(
    "figures",
    [
        GRID | {"size": [8, 4], "delays": [0, 1], "end": {"book": 1, "id": 9}, "offset": 3},
        {"axes": ["(batch book channel)", "frame"], "channels": 2, "codebooks": 4},
        TEXT | {"interleave": [0, 1], "per_position": 8, "incomplete": "drop"},
        {"books": [r"a(\d)", r"b(\d)"], "offset": 3, "size": [8, 4]},
        {"streams_text": {"a": r"(\d)"}, "fixed": {"a": 3}},
        {"interleave": [1, 0], "strides": [1, 1]},
        {"refuses": "a flow-matching model comes before the sound"},
        {"interleave": [0, 1, 1], "strides": [2, 1], "size": [8, 4]},
    ],
)
def test_fields_that_fit_one_another_are_taken(figures):
    assert from_figures(TokenLayout, figures)


def test_folded_axes_hold_any_number_of_names():
    assert axis_parts("( batch  book,channel )") == ("batch", "book", "channel")
    assert axis_parts("(book)") == ("(book)",)
    assert axis_names(["(batch book)", "frame"]) == ["batch", "book", "frame"]


def test_what_is_wrong_with_axes():
    assert axes_problem(["batch", "token"], ("batch", "token"), "token") == ""
    assert axes_problem(["(book book)"], ("book",), "book") == "axes names book twice"


@pytest.mark.parametrize("pattern", [r"(\d){1,99999999999}", "(" * 5000 + r"\d" + ")" * 5000, r"(\d" + "+" * 400_000])
def test_patterns_beyond_what_expressions_can_be_are_refused(pattern):
    with pytest.raises(OptionError, match="is not a regular expression") as caught:
        from_figures(TokenLayout, {"pattern": pattern})
    assert len(caught.value.message) < 500


def test_a_book_of_a_trillion_takes_no_memory():
    with pytest.raises(OptionError, match="leaves a book without a position"):
        from_figures(TokenLayout, {"interleave": [2**40]})
