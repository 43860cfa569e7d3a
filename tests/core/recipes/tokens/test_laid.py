"""Tokens laid out as a model writes them: their arrays, and how they are read back."""

import numpy as np
import pytest

from tonearm.api import CodecTokens, LaidTokens, TokenLayout
from tonearm.errors import ItemError
from tonearm.recipes.tokens.laid import figures_of
from tonearm.recipes.tokens.layout import TokenLayout as Layout

CODES = np.arange(12, dtype="i4").reshape(1, 3, 4)
TOKENS = CodecTokens(codes=CODES, sizes=(16,) * 3, sample_rate=24000, samples_per_frame=320, length=1000)
FRAMES = TokenLayout(name="mine", axes=("frame", "book"), size=16, source="here", notes="no", weights="nowhere")


def test_the_array_of_a_layout():
    laid = LaidTokens(TOKENS, FRAMES)
    (array,) = laid.arrays()
    np.testing.assert_array_equal(array, CODES[0].T)
    assert laid.port == "tokens"


def test_text_is_no_array():
    text = TokenLayout(pattern=r"<(\d+)>", size=16)
    laid = LaidTokens(CodecTokens(codes=CODES[:, :1], sizes=(16,)), text)
    assert laid.raw == "<0><1><2><3>"
    assert laid.arrays() == ()


def test_it_describes_what_reads_it_back():
    found = LaidTokens(TOKENS, FRAMES).described()
    assert found == {
        "layout": {"name": "mine", "axes": ("frame", "book"), "size": 16},
        "sample_rate": 24000,
        "samples_per_frame": 320,
        "length": 1000,
    }
    assert figures_of(Layout(axes=("frame", "book"))) == {"axes": ("frame", "book")}


def test_a_layout_that_cannot_hold_the_tokens():
    with pytest.raises(ItemError, match="3 books"):
        LaidTokens(TOKENS, TokenLayout(axes=("book", "frame"), size=16, codebooks=4))
