"""Inputs that take the signal, with their axes and levels."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from network_headers import LATENTS, LEVELS, MEL, TOKENS, axes, plan, refusal

from tonearm.api import GiveOption, SetOption

UNKNOWN = replace(TOKENS, books=None)
ONE_BOOK = replace(TOKENS, books=1)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("(8, frames)", "book frame"),
        ("(frames, 8)", "frame book"),
        ("(codebooks, frames)", "book frame"),
        ("(?, ?)", "book frame"),
        ("(batch, 8, frames)", "batch book frame"),
        ("(?, ?, ?)", "batch book frame"),
        ("(batch, frames, 8)", "batch frame book"),
        ("(8, batch, frames)", "book batch frame"),
        ("(8, 1, frames)", "book batch frame"),
        ("(n_q, batch, frames)", "book batch frame"),
        ("(1, 8, 24)", "batch book frame"),
        ("(1, batch, 8, frames)", "segment batch book frame"),
        ("(nb_frames, batch, 8, seq_len)", "segment batch book frame"),
        ("(batch, segments, 8, frames)", "batch segment book frame"),
        ("(batch, 8, frames, 1)", "batch book frame one"),
        ("(?, ?, ?, ?)", "segment batch book frame"),
    ],
)
def test_codes_of_all_books(shape: str, found: str) -> None:
    assert axes(plan(TOKENS, f"codes int64 {shape}"), "codes") == found


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("(frames)", "frame"),
        ("(batch, frames)", "batch frame"),
        ("(1, frames)", "book frame"),
        ("(?, ?)", "batch frame"),
        ("(batch, 1, frames)", "batch book frame"),
        ("(1, 1, frames)", "batch book frame"),
    ],
)
def test_codes_of_one_book(shape: str, found: str) -> None:
    assert axes(plan(ONE_BOOK, f"codes int32 {shape}"), "codes") == found


def test_books_that_are_not_known_are_any() -> None:
    assert axes(plan(UNKNOWN, "codes int64 (batch, 4, frames)"), "codes") == "batch book frame"
    assert axes(plan(UNKNOWN, "codes int64 (batch, frames)"), "codes") == "batch frame"


@pytest.mark.parametrize(
    ("shape", "takes"),
    [
        ("(batch, 4, frames)", "4 books"),
        ("(batch, 9, 24)", "9 books"),
        ("(1, 1, 4, frames)", "4 books"),
        ("(batch, frames)", "1 book"),
        ("(frames)", "1 book"),
        ("(batch, 1, frames)", "1 book"),
        ("(4, frames)", "4 books"),
    ],
)
def test_another_number_of_books_is_refused(shape: str, takes: str) -> None:
    error, message = refusal(TOKENS, f"codes int64 {shape}")
    assert message == f"the input codes takes {takes}, but the codec tokens have 8"
    assert error.code == "model-mismatch"
    assert error.remedies == (GiveOption("model", "the decoder of a codec of 8 books"),)


@pytest.mark.parametrize("shape", ["(a, b, c, d, e)", "(batch, segments)"])
def test_axes_that_codes_do_not_have_are_refused(shape: str) -> None:
    _, message = refusal(TOKENS, f"codes int64 {shape}")
    assert "codec tokens" in message


@pytest.mark.parametrize(
    "inputs",
    [
        "audio_codes.0 int64 (batch, frames);audio_codes.1 int64 (batch, frames2);audio_codes.2 int64 (batch, frames4)",
        "a int64 (batch, a1);b int64 (batch, b1);c int64 (batch, c1)",
        "codes_0 int32 (f);codes_1 int32 (g);codes_2 int32 (h)",
        "codes_0 int32 (batch, 1, f);codes_1 int32 (batch, 1, g);codes_2 int32 (batch, 1, h)",
    ],
)
def test_levels_are_in_the_order_of_the_header(inputs: str) -> None:
    assert [one.level for one in plan(LEVELS, inputs).inputs] == [0, 1, 2]


def test_numbers_in_names_tell_the_order_of_levels() -> None:
    made = plan(LEVELS, "codes_3 int64 (1, a);codes_2 int64 (1, b);codes_1 int64 (1, c)")
    assert [one.level for one in made.inputs] == [2, 1, 0]
    made = plan(LEVELS, "fine int64 (1, a);mid_2 int64 (1, b);l1_coarse int64 (1, c)")
    assert [one.level for one in made.inputs] == [0, 1, 2]


def test_books_in_inputs_of_their_own_are_levels_of_one_rate() -> None:
    made = plan(replace(TOKENS, books=2), "codes_0 int64 (batch, frames);codes_1 int64 (batch, frames)")
    assert [one.level for one in made.inputs] == [0, 1]
    made = plan(UNKNOWN, "codes_0 int64 (batch, frames);codes_1 int64 (batch, frames)")
    assert [one.level for one in made.inputs] == [0, 1]


def test_another_number_of_levels_is_refused() -> None:
    error, message = refusal(LEVELS, "codes int64 (batch, 7, frames)")
    assert message == "it takes one input of codes, but the tokens have 3 levels"
    assert error.remedies == (GiveOption("model", "the decoder of a codec of 3 levels"),)
    _, message = refusal(LEVELS, "codes_0 int64 (1, a);codes_1 int64 (1, b)")
    assert message == "it takes 2 levels of codes, but the tokens have 3 levels"
    _, message = refusal(TOKENS, "codes_0 int64 (1, a);codes_1 int64 (1, b)")
    assert message == "it takes 2 books of codes, but the tokens have 8 books"
    _, message = refusal(
        LEVELS,
        "a int64 (1, a);b int64 (1, b);codes_2 int64 (1, b, c, d)",
        inputs=dict.fromkeys("ab", "codes") | {"codes_2": "codes"},
    )
    assert message == "the input codes_2 int64 (1, b, c, d) has no axes for the codes of one level"


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("(80, frames)", "band frame"),
        ("(frames, 80)", "frame band"),
        ("(batch, 80, frames)", "batch band frame"),
        ("(batch, frames, 80)", "batch frame band"),
        ("(?, ?, ?)", "batch band frame"),
        ("(batch, time, n_mels)", "batch frame band"),
        ("(batch, 1, 80, frames)", "batch one band frame"),
        ("(1, 80, 300)", "batch band frame"),
        ("(1, 300, 80)", "batch frame band"),
    ],
)
def test_bands_and_frames(shape: str, found: str) -> None:
    assert axes(plan(MEL, f"mel float32 {shape}"), "mel") == found
    assert axes(plan(replace(LATENTS, bands=80), f"z float16 {shape}"), "z") == found


def test_the_recipe_tells_the_order_where_the_header_does_not() -> None:
    other = replace(MEL, frames_first=True)
    assert axes(plan(other, "mel float32 (?, ?, ?)"), "mel") == "batch frame band"
    assert axes(plan(other, "mel float32 (?, 80, ?)"), "mel") == "batch band frame"


def test_other_bands_are_refused() -> None:
    error, message = refusal(MEL, "mel float32 (batch, 100, frames)")
    assert message == "the input mel takes 100 bands, but the mel spectrogram of hifigan has 80"
    assert error.code == "dialect-mismatch"
    assert error.remedies == (GiveOption("model", "a model of 80 bands"), GiveOption("dialect", "one of 100 bands"))
    error, message = refusal(LATENTS, "z float32 (batch, 64, frames)")
    assert message == "the input z takes 64 bands, but the latents have 192"
    assert (error.code, error.remedies) == ("model-mismatch", (GiveOption("model", "a decoder of 192 bands"),))


def test_inputs_that_can_each_take_the_signal_are_asked_about() -> None:
    error, message = refusal(replace(MEL, bands=None), "a float32 (batch, 80, frames);b float32 (batch, 80, frames)")
    assert message == "a and b can each take the mel spectrogram of hifigan"
    assert error.remedies == (SetOption("inputs", {"a": "values"}),)
    error, message = refusal(ONE_BOOK, "a int64 (batch, frames);b int64 (batch, frames)")
    codec = GiveOption("model", "the decoder of a codec of 1 book")
    assert error.remedies == (SetOption("inputs", {"a": "codes"}), codec)
