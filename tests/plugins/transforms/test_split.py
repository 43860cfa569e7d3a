"""split: pieces by silence and by length, their names, tags and limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from regroup_helpers import RATE, pieces, regrouped, sounds
from transform_helpers import problems, speech

from tonearm_plugins.transforms.split import Split


def test_it_cuts_in_the_middle_of_pauses() -> None:
    samples = sounds(2000, 400, 1500, 100, 1500, 600, 3000)
    found = pieces(samples)
    assert [piece.shape[1] for piece in found] == [2200, 200 + 3100 + 300, 3300]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), samples)


def test_silence_at_the_edges_is_no_pause() -> None:
    assert len(pieces(np.pad(sounds(2000), ((0, 0), (5000, 5000))))) == 1


def test_short_pieces_stay_with_their_neighbours() -> None:
    samples = sounds(2000, 400, 500, 400, 2000, 400, 200)
    assert [piece.shape[1] for piece in pieces(samples)] == [2200, 200 + 500 + 400 + 2000 + 600]
    assert len(pieces(samples, min_seconds=0.0)) == 4


def test_long_pieces_are_cut_where_it_is_quietest() -> None:
    samples = sounds(10_000)
    samples[:, 3000:3100] *= 0.3
    samples[:, 7205:7225] *= 0.5
    lengths = [piece.shape[1] for piece in pieces(samples, max_seconds=5.0, min_seconds=0.5)]
    assert 3000 <= lengths[0] < 3100
    assert 7205 <= lengths[0] + lengths[1] <= 7225
    assert max(lengths) <= 5000


@given(
    lengths=st.lists(st.integers(1, 900), min_size=1, max_size=8),
    least=st.floats(0, 1),
    most=st.one_of(st.none(), st.floats(2, 4)),
)
def test_nothing_is_lost_and_limits_hold(lengths: list[int], least: float, most: float | None) -> None:
    samples = sounds(*lengths, channels=2)
    found = pieces(samples, min_seconds=least, max_seconds=most, min_silence_ms=50.0)
    np.testing.assert_array_equal(np.concatenate(found, axis=1), samples)
    if most is not None:
        assert max(piece.shape[1] for piece in found) <= round(most * RATE)
    elif len(found) > 1:
        assert min(piece.shape[1] for piece in found) >= round(least * RATE)


@given(length=st.integers(1, 3000), size=st.integers(10, 1000), overlap=st.floats(0, 0.5))
def test_pieces_of_a_length(length: int, size: int, overlap: float) -> None:
    samples = np.arange(float(length))[None]
    found = pieces(samples, by="length", max_seconds=size / RATE, overlap_ms=overlap * size)
    assert all(piece.shape[1] == size for piece in found[:-1])
    assert found[-1].shape[1] <= size
    over = round(overlap * size)
    for one, other in pairwise(found):
        np.testing.assert_array_equal(one[:, size - over :], other[:, :over])
    covered = np.concatenate([found[0], *(piece[:, over:] for piece in found[1:])], axis=1)
    np.testing.assert_array_equal(covered, samples)


def test_real_speech_is_cut_at_its_pauses() -> None:
    three = np.concatenate([np.pad(speech(), ((0, 0), (6000, 6000)))] * 3, axis=1)
    found = pieces(three, rate=22050)
    assert len(found) == 3
    np.testing.assert_array_equal(np.concatenate(found, axis=1), three)


def test_silence_one_sample_and_nan_are_one_piece() -> None:
    for samples in (np.zeros((2, 5000)), np.ones((1, 1)), np.full((1, 3000), np.nan)):
        (found,) = pieces(samples)
        np.testing.assert_array_equal(found, samples)


def test_names_and_tags() -> None:
    three = sounds(2000, 400, 2000)
    found = regrouped(Split, three, three, keys=["a", ""])
    assert [(item.key, item.tags["title"]) for item in found] == [
        ("a", "t0"),
        ("a", "t0"),
        ("1", "t1"),
        ("1", "t1"),
    ]


def test_options_that_contradict_each_other_are_refused() -> None:
    for options, said in (
        ({"by": "length"}, "split: by: length needs max_seconds"),
        ({"overlap_ms": 5}, "split: pieces overlap only by length"),
        (
            {"by": "length", "max_seconds": 1, "overlap_ms": 501},
            "split: pieces overlap by more than half of max_seconds",
        ),
        ({"max_seconds": 1.5}, "split: pieces of 1 to 1.5 s leave too little room for a cut"),
    ):
        assert said in problems({"use": "split", "with": options})
    assert problems({"use": "split", "with": {"by": "length", "max_seconds": 1, "overlap_ms": 500}}) == ""
