"""Columns of the table of layouts."""

import pytest

from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens import TokenLayout
from tonearm.recipes.tokens.command import LISTING, shown_raw


def test_a_whole_layout_and_an_open_one():
    whole = TokenLayout(
        axes=("book", "frame"), delays=(0, 1), size=(64, 32), codec="Toy", sample_rate=24000, samples_per_frame=1920
    )
    assert LISTING.row(whole) == ("Toy", "24000", "12.5", "2", "64, 32", "array", "book × frame, delays 0 1")
    assert len(LISTING.head) == 1 + len(LISTING.row(whole))
    assert LISTING.row(TokenLayout(axes=("book", "frame")))[:5] == ("any",) * 5


def test_one_size_of_all_books_is_shown_once():
    assert LISTING.row(TokenLayout(axes=("book", "frame"), size=(64, 32, 32)))[4] == "64, 32"
    assert LISTING.row(TokenLayout(axes=("book", "frame"), size=1024))[4] == "1024"


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ({"file": "ecdc"}, ".ecdc file"),
        ({"ragged": True, "strides": (4, 2, 1)}, "an array a level, lengths 1 : 2 : 4"),
        (
            {"pattern": r"<custom_token_(\d+)>", "interleave": (0, 1), "offset": 10, "per_position": 64},
            "<custom_token_N>, 2 a frame, N from 10, 64 a position",
        ),
        ({"books": (r"<\|c1_(\d+)\|>", r"<\|c2_(\d+)\|>")}, "<|c1_N|> <|c2_N|>"),
        ({"interleave": (0,), "end_at": tuple(range(7, 12))}, "1 id a frame, up to 7 … 11"),
        ({"interleave": (0,), "streams": 2, "offset": 5}, "1 id a frame from 5, 2 tracks in turn"),
        ({"interleave": (0, 1), "sections": {"start": 3, "end": 4}}, "2 ids a frame, between 3 and 4"),
        ({"interleave": (0,), "start_after": 7}, "1 id a frame, after 7"),
        ({"stacked": 3, "columns": (1, 2)}, "(batch book) × frame, 1 step in front, 2 steps behind"),
        ({"axes": ("frame", "book"), "rows": (1, 9)}, "frame × book, rows 1 … 8"),
        ({"axes": ("book", "frame"), "delays": (1, 2, 3)}, "book × frame, delays 1 … 3"),
        ({"axes": ("book", "frame"), "delays": (0, 8, 9)}, "book × frame, delays 0 8 9"),
    ],
)
def test_what_a_model_writes(figures, shown):
    assert shown_raw(from_figures(TokenLayout, figures)) == shown
