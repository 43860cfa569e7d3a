"""Undoing of layouts: the oracles of all projects exactly, batches, and what cannot be undone."""

import json

import numpy as np
import pytest

import token_oracles as oracles
from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import Undone, undo


def layout_of(figures):
    return from_figures(TokenLayout, oracles.LAYOUTS[figures] if isinstance(figures, str) else figures)


def codes(found):
    """Return the codes of each channel, segment and element, or of each level, as the oracles have them."""
    if isinstance(found[0].codes, tuple):
        return [np.concatenate([one.codes[level] for one in found]) for level in range(len(found[0].codes))]
    channels = [channel for one in found for channel in one.codes]
    segments = found[0].segments
    return np.split(channels[0], np.cumsum(segments)[:-1], axis=-1) if segments else channels


@pytest.mark.parametrize(("name", "case"), oracles.RIGHT)
def test_tokens_become_exactly_the_codes_of_the_projects_own_code(name, case):
    layout = layout_of(oracles.RIGHT[name, case])
    found = codes(list(undo(layout, oracles.raw_of(name, case))))
    wanted = oracles.codes_of(name, case)
    if len(wanted) == 1 and wanted[0].ndim == 3:
        wanted = list(wanted[0])
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.dtype == np.int32
        np.testing.assert_array_equal(mine.reshape(theirs.shape), theirs)


@pytest.mark.parametrize(("name", "case"), oracles.REFUSED)
def test_what_a_project_refuses_or_hides_is_refused_with_its_place(name, case):
    layout, message = oracles.REFUSED[name, case]
    with pytest.raises(ItemError) as caught:
        list(undo(layout_of(layout), oracles.raw_of(name, case)))
    assert caught.value.message == message


def test_every_case_of_every_oracle_is_tried():
    tried = {*oracles.RIGHT, *oracles.REFUSED}
    names = [path.stem for path in oracles.FOLDER.glob("*.json") if path.stem != "quirks"]
    assert len(names) > 10
    for name in names:
        for case in json.loads((oracles.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
            known = (name, case["case"]) in tried
            assert known != (name in oracles.ELSEWHERE or f"{name}/{case['case']}" in oracles.ELSEWHERE), case


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", "int32", "int64", "float32", "float64", ">i4"])
def test_every_dtype_gives_the_same_codes(dtype):
    ids = oracles.raw_of("kani", "whole_sequence")
    ids = np.maximum(ids - 60000, 0)  # so that uint16 holds them
    figures = oracles.LAYOUTS["kani"] | {"start_after": 4401, "end_at": [4402], "offset": 4410}
    (found,) = undo(layout_of(figures), ids.astype(dtype))
    np.testing.assert_array_equal(found.codes[0], oracles.codes_of("kani", "whole_sequence")[0])


def test_unsigned_ids_do_not_wrap_when_the_offset_is_subtracted():
    layout = layout_of({"interleave": [0, 1], "offset": 1000, "per_position": 100, "size": 100})
    with pytest.raises(ItemError, match=r"token 1 \(1099\) is code -1, but codes are at least 0"):
        list(undo(layout, np.array([1000, 1099], np.uint16)))


def test_a_bad_element_of_a_batch_leaves_the_others():
    layout = layout_of({"interleave": [0, 1], "size": 8})
    first, second, third = undo(layout, np.array([[1, 2], [9, 3], [4, 5]]))
    assert (first.codes.tolist(), third.codes.tolist()) == ([[[1], [2]]], [[[4], [5]]])
    assert second.code == "bad-token"
    assert (
        second.message == "element 1 of the batch: frame 0, position 0: token 0 (9) is code 9, but codes are at most 7"
    )


def test_a_list_of_ragged_sequences_is_a_batch():
    layout = layout_of("orpheus")
    whole = oracles.raw_of("orpheus", "ids_plain")
    long, short = undo(layout, [whole, whole[:21]])
    assert [len(level[0]) for level in long.codes] == [12, 24, 48]
    assert [len(level[0]) for level in short.codes] == [3, 6, 12]
    assert long.strides == (4, 2, 1)


@pytest.mark.parametrize(
    ("figures", "raw", "wanted"),
    [
        ({"axes": ["book", "frame"]}, [[1, 2], [3, 4]], [[[1, 2], [3, 4]]]),
        ({"axes": ["book", "frame"]}, [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]]]),
        ({"axes": ["batch", "frame", "book"]}, [[[1, 2], [3, 4]], [[5, 6]]], [[[1, 3], [2, 4]], [[5], [6]]]),
        ({"axes": ["book", "frame"]}, [np.array([1, 2]), np.array([3])], [[[1, 2]], [[3]]]),
        ({"interleave": [0]}, [1, 2, 3], [[[1, 2, 3]]]),
        ({"interleave": [0]}, (1, 2, 3), [[[1, 2, 3]]]),
        ({"interleave": [0]}, [[1, 2, 3], [4]], [[[1, 2, 3]], [[4]]]),
        ({"interleave": [0]}, [np.int64(1), np.int64(2)], [[[1, 2]]]),
        ({"pattern": r"(\d)"}, ["1", "2"], [[[1, 2]]]),
    ],
)
def test_lists_are_arrays_or_elements_of_a_batch(figures, raw, wanted):
    assert [one.codes[0].tolist() for one in undo(layout_of(figures), raw)] == wanted


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(ItemError, match="rows of one element have different lengths") as caught:
        list(undo(layout_of({"axes": ["book", "frame"]}), [[[1, 2], [3]]]))
    assert caught.value.code == "ragged"


def test_segments_may_be_arrays_of_their_own_lengths():
    """As EnCodec's own package gives them."""
    layout = layout_of("encodec")
    raw = oracles.raw_of("encodec_hf", "48k_chunks")
    (found,) = undo(layout, [raw[0], raw[1], raw[2], raw[3][..., :3]])
    (wanted,) = undo(layout_of("encodec-trimmed"), raw)
    assert found.segments == wanted.segments
    np.testing.assert_array_equal(found.codes, wanted.codes)
    with pytest.raises(ItemError, match="the segments differ in more than their lengths") as caught:
        list(undo(layout, [raw[0], raw[1][:, :1]]))
    assert caught.value.code == "wrong-books"


def test_lengths_count_the_tokens_or_frames_of_each_element():
    flat = layout_of({"interleave": [0, 1], "size": 8})
    found = list(undo(flat, np.array([[1, 2, 7, 7], [3, 4, 5, 6]]), lengths=np.array([2, 4])))
    assert [one.codes.tolist() for one in found] == [[[[1], [2]]], [[[3, 5], [4, 6]]]]
    grid = layout_of({"axes": ["batch", "frame", "book"], "size": 8})
    found = list(undo(grid, np.arange(8).reshape(2, 2, 2), lengths=np.array([[1], [2]])))
    assert [one.codes.tolist() for one in found] == [[[[0], [1]]], [[[4, 6], [5, 7]]]]


@pytest.mark.parametrize("lengths", [[1], [1, 5], [-1, 2]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    layout = layout_of({"axes": ["batch", "book", "frame"]})
    with pytest.raises(ItemError, match=r"do not fit 2 elements of 3 frames") as caught:
        list(undo(layout, np.zeros((2, 2, 3), int), lengths=np.array(lengths)))
    assert caught.value.code == "bad-lengths"


def test_given_axes_take_the_place_of_those_of_the_layout():
    layout = layout_of({"axes": ["book", "frame"], "size": 8})
    (found,) = undo(layout, np.array([[1, 2, 3], [4, 5, 6]]), axes=["frame", "book"])
    assert found.codes.tolist() == [[[1, 4], [2, 5], [3, 6]]]


def test_the_other_axes_of_flat_ids():
    layout = layout_of({"interleave": [0], "size": 8})
    first, second = undo(layout, np.array([[1, 2], [3, 4], [5, 6]]), axes=["token", "batch"])
    assert (first.codes.tolist(), second.codes.tolist()) == ([[[1, 3, 5]]], [[[2, 4, 6]]])
    with pytest.raises(ItemError, match="tokens have no book axis, only batch, token"):
        list(undo(layout, np.zeros((2, 2), int), axes=["book", "token"]))


def test_padding_becomes_code_0_and_tells_the_length():
    first, second = undo(layout_of("qwen-padded"), oracles.raw_of("qwen3_tts", "padded_batch"))
    samples = oracles.oracle("qwen3_tts")["padded_batch/samples"]
    assert [one.sound_frames * 1920 for one in (first, second)] == samples.tolist()
    assert first.codes.shape == second.codes.shape


def test_segments_follow_one_another_and_the_last_is_cut():
    (found,) = undo(layout_of("encodec-trimmed"), oracles.raw_of("encodec_hf", "48k_chunks"))
    assert found.segments == (30, 30, 30, 3)
    layout = layout_of({"axes": ["segment", "book", "frame"], "trim": [2, 4]})
    (found,) = undo(layout, np.arange(9).reshape(3, 1, 3))
    assert (found.codes.tolist(), found.segments) == ([[[2, 3, 4]]], (1, 2))


def test_one_segment_is_none():
    for found in undo(layout_of("encodec"), oracles.raw_of("encodec_hf", "24k_one_frame")):
        assert found.segments is None


def test_numbers_of_marks_are_taken_without_their_text():
    (found,) = undo(layout_of("neutts"), np.array([[5, 65535]]))
    assert found.codes.tolist() == [[[5, 65535]]]
    (found,) = undo(layout_of("outetts"), np.array([[5, 6, 7], [1, 2, 3]]))
    assert found.codes.tolist() == [[[5, 6, 7], [1, 2, 3]]]


@pytest.mark.parametrize(
    ("figures", "raw", "code", "message"),
    [
        ({"file": "dac"}, np.zeros((9, 2), int), "wrong-form", "is a file format, .dac, not one of arrays or text"),
        ("spark", "x", "needs-second-stream", "cannot become sound: its decoder needs the streams"),
        ("dia", "<s_1>", "wrong-form", "the layout spelled out is of arrays, but these tokens are text"),
        ("orpheus", ["<s_1>"], "wrong-form", "is of flat ids, but these tokens are text"),
        ("dac", [], "no-tokens", "there is no token"),
        ("dac", np.zeros((9, 0), int), "no-tokens", r"the array holds no token: its shape is \(9, 0\)"),
        ("dac", np.array([[1.5, 2.0]]), "bad-token", r"whole numbers, but the array has 1.5 at \[0, 0\]"),
        ("dac", np.array([[1.0, np.nan]]), "bad-token", r"the array has nan at \[0, 1\]"),
        ("dac", np.array([[True]]), "bad-token", "tokens are whole numbers, not bool"),
        ("snac", [np.zeros((1, 2), int), np.zeros((2, 4), int)], "bad-levels", "different numbers of elements"),
    ],
)  # fmt: skip
def test_what_cannot_be_undone_says_why(figures, raw, code, message):
    with pytest.raises(ItemError, match=message) as caught:
        list(undo(layout_of(figures), raw))
    assert caught.value.code == code


def test_what_is_left_out_is_told():
    told = []
    (found,) = undo(layout_of("orpheus"), oracles.raw_of("orpheus", "ids_incomplete_last_frame"), warn=told.append)
    assert isinstance(found, Undone)
    assert told == ["3 tokens of an unfinished last frame are left out"]


def test_each_book_is_a_level_of_codes():
    codes = np.arange(6, dtype=np.int32).reshape(1, 2, 3)
    assert [level.tolist() for level in Undone(codes=codes).levels] == [[[0, 1, 2]], [[3, 4, 5]]]
    levels = (codes[:, 0], codes[:, 1])
    assert Undone(codes=levels, strides=(1, 1)).levels is levels
