"""Values of tokens: whole numbers of every type, and what becomes of codes out of range."""

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.recipes.tokens.undo_values import GREATEST, checked_codes, whole_numbers


def describe(channel, row, frame):
    return f"channel {channel}, row {row}, frame {frame}", ""


CODES = np.array([[[0, 9, 7], [3, 4, -1]]], np.int64)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i8", "f2", "f4", "f8", ">u2"])
def test_whole_numbers_of_every_type_become_int64(dtype):
    found = whole_numbers(np.array([0, 1, 100], dtype))
    assert (found.dtype, found.tolist()) == (np.int64, [0, 1, 100])


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 2.0**60])
def test_other_floats_are_named_with_their_place(value):
    with pytest.raises(ItemError, match=r"whole numbers, but the array has \S+ at \[1, 0\]") as caught:
        whole_numbers(np.array([[1.0, 2.0], [value, 3.0]]))
    assert caught.value.code == "bad-token"
    assert "sound or latents" in caught.value.hint


def test_a_float_that_is_nearly_whole_is_shown_in_full():
    with pytest.raises(ItemError, match=r"has 128266.5 at \[0\]"):
        whole_numbers(np.array([128266.5]))


@pytest.mark.parametrize("array", [np.array([True]), np.array([1j]), np.array(["1"])])
def test_what_is_no_number_is_refused(array):
    with pytest.raises(ItemError, match=f"tokens are whole numbers, not {array.dtype}"):
        whole_numbers(array)


def test_an_id_that_int64_cannot_hold():
    with pytest.raises(ItemError, match="the id 18446744073709551615 is greater than that of any vocabulary"):
        whole_numbers(np.array([3, 2**64 - 1], np.uint64))


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("zero", [[0, 0, 7], [3, 4, 0]]),
        ("drop_frame", [[0], [3]]),
        ("keep", [[0, 9, 7], [3, 4, -1]]),
    ],
)
def test_codes_out_of_range_are_treated_as_the_layout_says(policy, wanted):
    found = checked_codes(CODES, (8, 8), policy, describe)
    assert (found.dtype, found[0].tolist()) == (np.int32, wanted)


def test_clipping_is_from_above():
    assert checked_codes(CODES[:, :, :2], (8, 4), "clip", describe)[0].tolist() == [[0, 7], [3, 3]]
    with pytest.raises(ItemError, match="row 1, frame 2 is code -1, but codes are at least 0"):
        checked_codes(CODES, (8, 8), "clip", describe)


def test_the_first_wrong_code_in_time_is_named():
    with pytest.raises(ItemError) as caught:
        checked_codes(CODES, (8, 8), "error", describe)
    assert caught.value.message == (
        "channel 0, row 0, frame 1 is code 9, but codes are at most 7; 2 codes are out of range"
    )
    with pytest.raises(ItemError, match="row 1, frame 0 is code 3, but codes are at most 2"):
        checked_codes(CODES, (8, 3), "error", describe)


def test_without_sizes_only_negative_codes_are_wrong():
    with pytest.raises(ItemError) as caught:
        checked_codes(CODES, None, "error", describe)
    assert caught.value.message == "channel 0, row 1, frame 2 is code -1, but codes are at least 0"
    assert checked_codes(CODES[:, :, :2], None, "error", describe).tolist() == CODES[:, :, :2].tolist()


@pytest.mark.parametrize("value", [GREATEST + 1, -GREATEST - 1])
def test_what_is_kept_must_fit_a_signal(value):
    with pytest.raises(ItemError, match=f"is code {value}"):
        checked_codes(np.array([[[value]]]), (8,), "keep", describe)


def test_padding_becomes_0_before_the_check():
    assert checked_codes(CODES[:, 1:], (8,), "error", describe, pad=-1).tolist() == [[[3, 4, 0]]]


def test_a_size_beyond_what_a_signal_holds_wraps_no_code_around():
    with pytest.raises(ItemError, match=f"codes are at most {GREATEST}"):
        checked_codes(np.array([[[2**33]]]), (2**40,), "error", describe)


@pytest.mark.parametrize(("name", "bits"), [("bfloat16", 8), ("float16", 11)])
def test_ids_that_a_type_of_16_bits_rounded_are_refused(name, bits):
    ids = np.arange(2**bits, 2 ** (bits + 2), 2).astype("f4")
    with pytest.raises(ItemError, match=f"rounded to {bits} bits, as {name} does") as caught:
        whole_numbers(np.append(ids[ids % 4 == 0], [0.0, 1.0]))
    assert caught.value.code == "bad-token"
    assert whole_numbers(np.append(ids, 2**bits + 1)).size == ids.size + 1  # one that no rounding gives
    assert whole_numbers(ids[ids % 4 == 0][:15]).size == 15
    assert whole_numbers(ids[ids % 4 == 0].astype("i8")).size  # of whole numbers it may be chance or an offset


def test_few_floats_and_small_ones_are_taken():
    assert whole_numbers(np.arange(257, dtype="f4")).tolist() == list(range(257))
    assert whole_numbers(np.full(1000, 2048.0)).size == 1000
