"""Flat ids: marks, sections, streams in turn, unfinished frames, and the phase of a sequence."""

import numpy as np
import pytest

import token_oracles as oracles
from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo_ids import by_level, first_ids, undo_ids, undone_offsets

YUE = {
    "sections": {"start": 32001, "end": 32002, "skip_first_id": 32016},
    "streams": 2, "interleave": [0], "offset": 45334, "size": 1024,
}  # fmt: skip


def layout_of(**figures):
    return from_figures(TokenLayout, figures)


def codes(ids, told=None, **figures):
    found = undo_ids(layout_of(**figures), np.array(ids, np.int64), warn=[].append if told is None else told.append)
    return [level.tolist() for level in found] if isinstance(found, tuple) else found.tolist()


@pytest.mark.parametrize(
    ("figures", "kept"),
    [
        ({"start_after": 90}, [4, 5, 91, 6, 91]),
        ({"start_after": 90, "which": "first"}, [3, 90, 4, 5, 91, 6, 91]),
        ({"start_after": 99}, [1, 2, 90, 3, 90, 4, 5, 91, 6, 91]),
        ({"end_at": [91]}, [1, 2, 90, 3, 90, 4, 5]),
        ({"end_at": [6, 5]}, [1, 2, 90, 3, 90, 4]),
        ({"start_after": 90, "end_at": [91]}, [4, 5]),
        ({"end_at": [99]}, [1, 2, 90, 3, 90, 4, 5, 91, 6, 91]),
        ({"drop": [90, 91]}, [1, 2, 3, 4, 5, 6]),
        ({"drop_from": 90}, [1, 2, 3, 4, 5, 6]),
        ({"drop_below": 5}, [90, 90, 5, 91, 6, 91]),
        ({"drop_below": 3, "drop_from": 6}, [3, 4, 5]),
    ],
)
def test_marks_and_what_is_left_out(figures, kept):
    assert codes([1, 2, 90, 3, 90, 4, 5, 91, 6, 91], interleave=[0], **figures) == [[kept]]


def test_a_sequence_without_its_end_mark_is_read_to_the_end():
    layout = from_figures(TokenLayout, oracles.LAYOUTS["kani"])
    told = []
    found = undo_ids(layout, oracles.raw_of("kani", "no_end"), warn=told.append)
    assert found.shape == (1, 4, 25)
    assert told == ["there is no end mark, 64402; the sequence, which may have been cut off, is read to its end"]


@pytest.mark.parametrize("ids", [[1, 2], [90, 1, 2, 91], [1, 2, 91]])
def test_a_part_without_marks_and_a_whole_sequence_lack_no_end(ids):
    told = []
    assert codes(ids, told, start_after=90, end_at=[91], interleave=[0]) == [[[1, 2]]]
    assert not told


def test_sections_are_joined_in_time_and_streams_stand_in_turn():
    ids = [7, 32001, 32016, *(45334 + n for n in (1, 2, 3, 4)), 32002, 8, 32001, *(45334 + n for n in (5, 6)), 32002]
    assert codes(ids, **YUE) == [[[1, 3, 5]], [[2, 4, 6]]]


def test_each_section_is_cut_to_whole_turns_of_the_streams():
    told = []
    ids = [32001, 45335, 45336, 45337, 32002, 32001, 45338, 45339, 32002]
    assert codes(ids, told, **YUE) == [[[1, 4]], [[2, 5]]]
    assert told == ["1 tokens of an unfinished turn of 2 streams are left out"]


def test_a_section_that_was_cut_off_is_read_to_the_end():
    told = []
    assert codes([7, 32001, 32016, 45335, 45336], told, **YUE) == [[[1]], [[2]]]
    assert told == ["the section from token 1 on has no end; it is read to the end of the sequence"]


def test_a_sequence_without_any_mark_is_one_section():
    assert codes([45335, 45336], **YUE) == [[[1]], [[2]]]


def test_a_section_without_its_start_is_refused():
    with pytest.raises(ItemError, match="the end of a section, 32002, but no start, 32001") as caught:
        codes([45335, 45336, 32002], **YUE)
    assert caught.value.code == "no-tokens"


def test_frames_that_are_dropped_are_dropped_in_all_streams():
    ids = [0, 10, 1, 99, 2, 12]
    assert codes(ids, interleave=[0], streams=2, size=16, invalid="drop_frame") == [[[0, 2]], [[10, 12]]]


def test_a_bad_id_of_a_stream_is_named_by_its_place_in_the_sequence():
    with pytest.raises(ItemError, match=r"stream 1, frame 1, position 0: token 3 \(99\) is code 99, but"):
        codes([0, 10, 1, 99], interleave=[0], streams=2, size=16)


def test_positions_become_levels_in_the_order_of_time():
    found = codes(range(14), interleave=[0, 1, 2, 2, 1, 2, 2])
    assert found == [[[0, 7]], [[1, 4, 8, 11]], [[2, 3, 5, 6, 9, 10, 12, 13]]]
    assert codes(range(4), interleave=[1, 0]) == [[[1, 3], [0, 2]]]
    assert codes(range(8), interleave=[0, 0, 1, 1]) == [[[0, 1, 4, 5], [2, 3, 6, 7]]]


def test_an_unfinished_last_frame_is_an_error_or_left_out():
    with pytest.raises(ItemError, match="the sequence ends in mid-frame: frame 1 has 2 of 3 tokens") as caught:
        codes(range(5), interleave=[0, 1, 2])
    assert caught.value.code == "incomplete-frame"
    assert codes(range(5), interleave=[0, 1, 2], incomplete="drop") == [[[0], [1], [2]]]
    assert codes([1], interleave=[0, 1], incomplete="drop") == [[[], []]]


@pytest.mark.parametrize(("lost", "frame", "place"), [(9, 1, 9), (0, 0, 0), (20, 2, 20)])
def test_a_lost_token_is_told_from_a_wrong_one(lost, frame, place):
    ids = [1000 + 16 * (n % 7) + n % 16 for n in range(28)]
    del ids[lost]
    figures = {"interleave": [0, 1, 2, 2, 1, 2, 2], "offset": 1000, "per_position": 16, "size": 16}
    with pytest.raises(
        ItemError, match=rf"frame {frame}, position {lost % 7}: token {place} \({ids[lost]}\)"
    ) as caught:
        codes(ids, **figures)
    assert f"a token was lost or added, and the phase is off from frame {frame} on" in caught.value.hint


def test_an_id_of_another_position_does_not_put_the_phase_off_if_the_next_is_right():
    ids = [n % 7 * 16 + n % 16 for n in range(14)]
    ids[3] += 16
    figures = {"interleave": [0, 1, 2, 2, 1, 2, 2], "per_position": 16, "size": 16}
    with pytest.raises(ItemError, match=rf"frame 0, position 3: token 3 \({ids[3]}\)") as caught:
        codes(ids, **figures)
    assert caught.value.hint == "it fits position 4, and the one behind it is in its place: a single wrong id"


def test_a_token_that_was_added_puts_the_phase_off():
    ids = [n % 7 * 16 + n % 16 for n in range(28)]
    ids.insert(9, ids[9])
    figures = {"interleave": [0, 1, 2, 2, 1, 2, 2], "per_position": 16, "size": 16, "incomplete": "drop"}
    with pytest.raises(ItemError, match=r"frame 1, position 3: token 10") as caught:
        codes(ids, **figures)
    assert "the phase is off from frame 1 on" in caught.value.hint


def test_an_id_that_fits_no_position_is_just_wrong():
    with pytest.raises(ItemError, match=r"token 1 \(99\) is code 83, but codes are at most 15") as caught:
        codes([0, 99], interleave=[0, 1], per_position=16, size=16)
    assert "phase" not in caught.value.hint


def test_places_count_all_ids_of_the_sequence():
    with pytest.raises(ItemError, match=r"frame 0, position 1: token 5 \(50\)"):
        codes([7, 7, 90, 1, 91, 50], start_after=90, drop=[91], interleave=[0, 1], size=16)


def test_levels_keep_their_channels():
    coarse, fine = by_level(layout_of(interleave=[0, 1, 1]), np.arange(12).reshape(2, 3, 2))
    assert coarse.tolist() == [[0, 1], [6, 7]]
    assert fine.tolist() == [[2, 4, 3, 5], [8, 10, 9, 11]]


def test_offsets_are_subtracted_by_position():
    layout = layout_of(interleave=[0, 1], offset=100, per_position=10)
    assert undone_offsets(layout, np.array([[100, 101], [110, 112]])).tolist() == [[0, 1], [0, 2]]
    assert first_ids(layout, 2).tolist() == [[100], [110]]
