"""concat: gaps, crossfades, keys and tags, and pieces of split that come together again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from regroup_helpers import RATE, pieces, regrouped, sounds, whole
from transform_helpers import problems

from tonearm.api import ItemError
from tonearm_plugins.transforms.concat import Concat


def test_one_after_another() -> None:
    one, other = sounds(100, channels=2), sounds(30, channels=2)
    np.testing.assert_array_equal(whole(one, other, one), np.concatenate([one, other, one], axis=1))
    np.testing.assert_array_equal(whole(one), one)


def test_with_a_gap() -> None:
    one, other = sounds(100), sounds(30)
    np.testing.assert_array_equal(whole(one, other, gap_ms=7.0), np.concatenate([one, np.zeros((1, 7)), other], 1))


@pytest.mark.parametrize(("shape", "power"), [("linear", 1), ("cosine", 1), ("equal-power", 2)])
def test_with_a_crossfade(shape: str, power: int) -> None:
    found = whole(np.ones((1, 100)), np.zeros((1, 100)), crossfade_ms=40.0, shape=shape)
    again = whole(np.zeros((1, 100)), np.ones((1, 100)), crossfade_ms=40.0, shape=shape)
    assert found.shape == (1, 160)
    np.testing.assert_allclose(found**power + again**power, 1, atol=1e-12)
    assert (np.diff(found[0, 60:101]) < 0).all()
    assert (found[0, :60] == 1).all()
    assert (found[0, 100:] == 0).all()


@given(length=st.integers(1, 3000), size=st.integers(10, 1000), overlap=st.floats(0, 0.5))
def test_it_puts_overlapping_pieces_together_again(length: int, size: int, overlap: float) -> None:
    samples = np.random.default_rng(length).standard_normal((1, length))
    over = round(overlap * size)
    found = pieces(samples, by="length", max_seconds=size / RATE, overlap_ms=float(over))
    np.testing.assert_allclose(whole(*found, crossfade_ms=float(over)), samples, rtol=0, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 8])
def test_it_puts_pieces_by_silence_together_again_bit_by_bit(channels: int) -> None:
    samples = sounds(2000, 400, 2000, 800, 1200, channels=channels)
    found = pieces(samples)
    assert len(found) == 3
    np.testing.assert_array_equal(whole(*found), samples)


def test_keys_and_tags_that_are_the_same_in_all_parts_stay() -> None:
    one = sounds(10)
    (item,) = regrouped(Concat, one, one, keys=["a", "a"])
    assert (item.key, item.tags) == ("a", {"a": "b"})
    (item,) = regrouped(Concat, one, one, keys=["a", "b"])
    assert item.key == ""


def test_parts_that_differ_are_an_error() -> None:
    with pytest.raises(
        ItemError, match="the first part has 2 channels at 1000 Hz, but part 1 has 1 channel at"
    ) as caught:
        whole(sounds(10, channels=2), sounds(10))
    assert (caught.value.code, caught.value.hint) == ("parts-differ", "put mix before it, with to: mono")


def test_options_that_contradict_each_other_are_refused() -> None:
    assert "a crossfade leaves no gap" in problems({"use": "concat", "with": {"crossfade_ms": 1, "gap_ms": 1}})
