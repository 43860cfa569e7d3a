"""Lines that break between words alone."""

import pytest

from tonearm.cli.wrapping import stack_cells, wrap, wrap_cells


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", None, ["> one two three"]),
        ("one two three", 15, ["> one two three"]),
        ("one two three", 14, ["> one two", "  three"]),
        ("half-overlap is one word", 16, ["> half-overlap", "  is one word"]),
        ("a /path/that/is/longer/than/the/line b", 12, ["> a", "  /path/that/is/longer/than/the/line", "  b"]),
        ("", 5, ["> "]),
    ],
)
def test_text_breaks_between_words_alone(text, width, expected):
    assert wrap(text, width, "> ", "  ") == expected


def test_the_last_column_hangs_beside_the_others_where_there_is_room():
    lines = ["name   a → b", "other"]
    texts = ["word " * 8, ""]
    assert wrap_cells(lines, texts, None) == [f"name   a → b  {'word ' * 8}", "other"]
    assert wrap_cells(lines, texts, 44) == [
        "name   a → b  word word word word word word", "              word word", "other"
    ]  # fmt: skip
    assert wrap_cells(lines, texts, 40) == [
        "name a → b", "    word word word word word word word", "    word", "other"
    ]  # fmt: skip
    assert wrap_cells([], [], 40) == []


def test_a_table_that_is_too_wide_is_stacked_and_no_figure_leaves_its_head():
    rows = [("name", "to Hz", "log"), ("a", "8000", "10 log10"), ("b", "1", "ln")]
    assert stack_cells(rows, 20) == ["a", "    to Hz 8000,", "    log 10 log10", "b", "    to Hz 1, log ln"]
    assert stack_cells([["name", "writes"], ["a", "batch, book, frame"]], 20) == [
        "a", "    writes batch,", "      book, frame",
    ]  # fmt: skip
