"""Laying: what is laid and undone is the same, for every layout that can be inverted, and the model's own form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import token_oracles as oracles
from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.lay import lay_tokens
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import undo
from tonearm.signals import CodecTokens

FILLED = {"musicgen", "musicgen-stereo", "higgs", "dia", "dia-batch", "dia-buffer", "dia-prompt", "encodec-trimmed"}
"""Layouts that need the id at places without codes."""

NEVER = {"fish-rows", "spark"}
"""Layouts that cannot be inverted."""

EXTRA = {
    "higgs-hf": {
        "axes": ["batch", "frame", "book"], "lead_delayed": {"all": 1024}, "end_delayed": {"all": 1025},
        "delays": [*range(8)], "size": 1024,
    },
    "moss": {
        "axes": ["batch", "frame", "book"], "delays": [*range(8)], "last_not": {"book": 1, "id": 1024},
        "offset0": 151665, "size": 1024, "fill": 1024,
    },
    "zonos": {
        "axes": ["batch", "book", "frame"], "delays": [*range(1, 10)], "end": {"book": 0, "id": 1024}, "size": 1024,
        "fill": 1025,
    },
    "yue": {
        "sections": {"start": 32001, "end": 32002, "skip_first_id": 32016}, "streams": 2, "interleave": [0],
        "offset": 45334, "size": 1024,
    },
    "yue-books": {"interleave": [*range(8)], "offset": 45334, "per_position": 1024, "size": 1024},
    "books-of-other-order": {"interleave": [1, 0, 2], "size": 8},
    "several-of-a-book": {"interleave": [0, 0, 1, 1], "size": 8},
    "frames-in-turn": {"axes": ["book", "(frame channel)"], "channels": 2, "size": 8},
    "channels": {"axes": ["channel", "frame", "book"], "size": [4, 8]},
    "segments": {"axes": ["book", "segment", "frame"], "size": 8},
}  # fmt: skip


def layout_of(name):
    figures = {**oracles.LAYOUTS, **EXTRA}[name]
    return from_figures(TokenLayout, figures | ({"fill": 3000} if name in FILLED else {}))


@st.composite
def tokens_of(draw, layout, name):
    """Tokens of random size and codes that a layout can hold."""
    books = layout.book_count or draw(st.integers(1, 5))
    strides = layout.level_strides or ((4, 2, 1) if layout.ragged else ())
    channels = layout.channels or layout.streams
    channels = draw(st.integers(1, 3)) if name == "channels" else channels
    frames = draw(st.integers(1, 12))
    segments = None
    if "segment" in layout.axes and (count := draw(st.integers(1, 3))) > 1:
        segments = [frames] * count
        if layout.trim[1]:
            segments[-1] = draw(st.integers(1, frames))
            layout = from_figures(
                TokenLayout, oracles.LAYOUTS["encodec"] | {"trim": [0, frames - segments[-1]], "fill": 0}
            )
        frames = sum(segments)
    elif layout.trim[1] and "segment" in layout.axes:
        layout = from_figures(TokenLayout, oracles.LAYOUTS["encodec"])
    each = layout.positions.count(0)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def codes(book, count):
        size = layout.sizes[book] if layout.sizes else layout.size
        first = 1 if name == "csm" else 0  # one book of code 0 alone is its end
        return rng.integers(first, size, (channels, count)).astype(np.int32)

    if strides:
        levels = tuple(codes(level, frames * (strides[0] // stride)) for level, stride in enumerate(strides))
        return layout, CodecTokens(codes=levels, strides=strides)
    found = np.stack([codes(book, frames * each) for book in range(books)], axis=1)
    return layout, CodecTokens(codes=found, segments=segments)


@pytest.mark.parametrize("name", sorted({*oracles.LAYOUTS, *EXTRA} - NEVER))
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_laid_and_undone_is_the_same(name, data):
    layout, tokens = data.draw(tokens_of(layout_of(name), name))
    (again,) = undo(layout, lay_tokens(layout, tokens))
    assert again.strides == tokens.strides
    assert again.segments == tokens.segments
    found = again.codes if isinstance(again.codes, tuple) else (again.codes,)
    for mine, theirs in zip(found, tokens.arrays(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", sorted(NEVER))
def test_a_layout_that_cannot_be_inverted_says_why(name):
    tokens = CodecTokens(codes=np.zeros((1, 10, 3), np.int32))
    with pytest.raises(ItemError, match="tokens cannot be written in the layout spelled out: ") as caught:
        lay_tokens(layout_of(name), tokens)
    assert caught.value.code == "layout-not-invertible"


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("kani", "whole_sequence"), ("neutts", "plain"), ("csm", "limit"), ("dac_hf", "nine_books"),
        ("fish", "saved_npy"), ("encodec_hf", "24k_one_frame"), ("snac_ragged", "24k_tiny_book"),
        ("orpheus", "text_with_code_0"), ("orpheus", "ids_plain"),
    ],
)  # fmt: skip
def test_tokens_are_laid_as_the_project_writes_them(name, case):
    """All but the prompt before the tokens, and marks that the project itself does not always write."""
    layout = layout_of(oracles.RIGHT[name, case])
    raw = oracles.raw_of(name, case)
    laid = [lay_tokens(layout, CodecTokens(codes=found.codes, strides=found.strides)) for found in undo(layout, raw)]
    if isinstance(raw, str):
        assert laid[0] == raw.replace("\n", "")
    elif isinstance(raw, list):
        for level, array in enumerate(raw):
            np.testing.assert_array_equal(np.concatenate([one[level] for one in laid]), array)
    elif layout.form == "flat":
        shorter, longer = sorted((str(raw.tolist())[1:-1], str(laid[0].tolist())[1:-1]), key=len)
        assert shorter in longer
        assert len(laid[0]) >= len(raw) - 8
    else:
        axis = layout.raw_axes.index("batch") if "batch" in layout.raw_axes else 0
        joined = np.concatenate(laid, axis=axis)
        kept = tuple(slice(size) for size in raw.shape)
        np.testing.assert_array_equal(joined[kept], raw)


def test_delays_marks_and_fill():
    figures = {"axes": ["book", "frame"], "delays": [0, 2], "end": {"book": 0, "id": 8}, "fill": 9, "columns": [1, 0]}
    tokens = CodecTokens(codes=np.array([[[1, 2], [3, 4]]]))
    assert lay_tokens(from_figures(TokenLayout, figures), tokens).tolist() == [[9, 1, 2, 8, 9, 9], [9, 9, 9, 3, 4, 9]]


@pytest.mark.parametrize(
    ("figures", "codes", "message"),
    [
        ({"axes": ["book", "frame"], "end": {"all": 0}}, [[[1, 0], [3, 0]]], "the codes of frame 1 (book 0) would be"),
        ({"interleave": [0], "drop": [2]}, [[[1, 2, 3]]], "the codes of frame 1 (book 0) would be read as a mark"),
        ({"interleave": [0], "end_at": [3]}, [[[1, 2, 3]]], "the codes of frame 2 (book 0) would be read as a mark"),
        ({"axes": ["book", "frame"], "pad": 5}, [[[1, 5]]], "the codes of frame 1 (book 0) would be read as a mark"),
    ],
)  # fmt: skip
def test_codes_that_would_be_read_as_a_mark_are_refused(figures, codes, message):
    with pytest.raises(ItemError) as caught:
        lay_tokens(from_figures(TokenLayout, figures), CodecTokens(codes=np.array(codes)))
    assert caught.value.message.startswith(message)
    assert caught.value.code == "bad-token"


def test_codes_out_of_range_are_refused_by_their_place():
    with pytest.raises(ItemError, match="book 0, frame 1 is code 9, but codes are at most 7"):
        lay_tokens(
            from_figures(TokenLayout, {"axes": ["book", "frame"], "size": 8}), CodecTokens(codes=np.array([[[1, 9]]]))
        )


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("kani", (1, 3, 5), "the tokens have 3 books, but the layout spelled out has 4"),
        ("kani", (2, 4, 5), "the tokens have 2 channels, but the layout spelled out has 1"),
        ("orpheus", (1, 3, 5), "the tokens have books of one rate, but the layout spelled out has not"),
        ("dac", (2, 9, 5), "the tokens have 2 channels, but the layout has no channel axis"),
    ],
)
def test_tokens_that_a_layout_cannot_hold(name, shape, message):
    with pytest.raises(ItemError, match=message):
        lay_tokens(layout_of(name), CodecTokens(codes=np.zeros(shape, np.int32)))


def test_levels_that_a_layout_cannot_hold():
    tokens = CodecTokens(codes=(np.zeros((1, 2), np.int32), np.zeros((1, 4), np.int32)), strides=(2, 1))
    with pytest.raises(
        ItemError, match="the tokens have levels of their own rates, but the layout spelled out has not"
    ):
        lay_tokens(layout_of("dac"), tokens)
    with pytest.raises(ItemError, match=r"the tokens have strides \[2, 1\], but the layout has \[4, 2, 1\]"):
        lay_tokens(layout_of("orpheus"), tokens)
