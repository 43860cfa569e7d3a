"""Scale of arrays: full scale of waveforms, magnitudes, limits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tonearm.arrays.extent import finite_extent_of
from tonearm.errors import ItemError, SetOption
from tonearm.kinds.doubts import doubt_decibels
from tonearm.kinds.scale import check_decibels, to_full_scale, without_negatives
from tonearm.kinds.scale import scaled as divided
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits


def scaled(array: Any, full_scale: float | None = None, *, double: bool = False) -> Any:
    return to_full_scale(array, full_scale, traits(array, double=double))


def traits(array: Any, *, double: bool = False) -> ArrayTraits:
    extent = finite_extent_of(array)
    return ArrayTraits(extent.low, extent.high, double)


@pytest.mark.parametrize(
    ("dtype", "bits", "made"), [("i1", 8, "f4"), ("i2", 16, "f4"), (">i2", 16, "f4"), ("i4", 32, "f8")]
)
def test_integer_pcm_is_divided_by_its_full_scale(dtype: str, bits: int, made: str) -> None:
    least = -(2 ** (bits - 1))
    found = scaled(np.array([least, least // 2, 0, -least - 1], dtype))
    assert found.dtype == made
    assert found.tolist() == [-1, -0.5, 0, (-least - 1) / -least]


@pytest.mark.parametrize(("dtype", "made"), [("f2", "f4"), ("f4", "f4"), ("f8", "f4")])
def test_floats_are_taken_as_they_are(dtype: str, made: str) -> None:
    assert scaled(np.array([0.5, -1.25], dtype)).dtype == made
    assert scaled(np.array([0.5, -1.25], dtype)).tolist() == [0.5, -1.25]
    assert scaled(np.array([0.5], dtype), double=True).dtype == "f8"


def test_float32_is_not_copied() -> None:
    array = np.array([0.5, -1.25], "f4")
    assert np.shares_memory(scaled(array), array)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i4", "i8"])
def test_full_scale_is_what_the_user_says(dtype: str) -> None:
    assert scaled(np.array([100, -50], dtype), 200.0).tolist() == [0.5, -0.25]


def test_full_scale_beyond_float32() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scaled(np.array([1e300]), 2e300).tolist() == [0.5]


def test_unsigned_samples_have_their_middle_at_full_scale() -> None:
    assert scaled(np.array([0, 128, 255], "u1"), 128.0).tolist() == [-1, 0, 127 / 128]


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_a_full_scale_of_1_leaves_whole_numbers_as_they_are(dtype: str) -> None:
    np.testing.assert_array_equal(scaled(np.array([0, 1, 127, 100], dtype), 1.0), [0, 1, 127, 100])


@pytest.mark.parametrize(
    ("dtype", "hint"),
    [
        ("u1", "full_scale: 128"),
        ("u2", "full_scale: 32768"),
        ("i8", "full_scale: 128, if these are 8-bit samples"),
    ],
)
def test_integers_that_do_not_say_their_scale(dtype: str, hint: str) -> None:
    with pytest.raises(ItemError, match=r"the full scale of a waveform of .* values is unknown") as caught:
        scaled(np.array([1], dtype))
    assert caught.value.code == "unknown-scale"
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(("bits", "peak"), [(8, 242.0), (8, 255.0), (16, 47210.0)])
def test_floats_that_hold_unsigned_integers_are_not_scaled(bits: int, peak: float) -> None:
    with pytest.raises(ItemError, match="no value is negative") as caught:
        scaled(np.array([13.0, 2.0 ** (bits - 1), peak]))
    middle = 2 ** (bits - 1)
    assert caught.value.hint.endswith(f"save them as uint{bits}, or save (x - {middle}) / {middle}")


def test_a_scale_that_would_leave_a_low_peak_tells_it() -> None:
    with pytest.raises(ItemError) as caught:
        scaled(np.array([-0.1, 328.0]))
    assert caught.value.hint.endswith("if these are 16-bit samples stored as floats, with a peak of -40 dBFS")


@pytest.mark.parametrize(
    ("dtype", "peak", "proposed"),
    [
        ("i4", 100, [128, 32768]),
        ("i4", 14443, [32768, 8388608]),
        ("i4", 32768, [32768, 8388608]),
        ("i4", 32769, [8388608]),
        ("i4", 2**22, [8388608, 2147483648]),
        ("i4", 2**24 - 1, [2147483648]),
        ("i8", 2**31, [2147483648]),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_integers_in_a_wider_type_are_asked_about_with_the_scales_that_hold_them(
    dtype: str, peak: int, proposed: list[int], sign: int
) -> None:
    with pytest.raises(ItemError) as caught:
        scaled(np.array([0, sign * peak if peak < 2**31 else -peak], dtype))
    assert caught.value.code == "unknown-scale"
    assert [remedy.value for remedy in caught.value.remedies if isinstance(remedy, SetOption)] == proposed
    for scale in proposed:
        assert abs(scaled(np.array([peak if peak < 2**31 else -peak], dtype), scale)).max() <= 1


def test_int32_that_uses_its_range_or_is_silent_is_not_asked_about() -> None:
    assert scaled(np.array([2**24, 0], "i4")).tolist() == [2**-7, 0]
    assert scaled(np.array([0, 0], "i4")).tolist() == [0, 0]


def test_the_largest_of_zeros_is_zero() -> None:
    with pytest.raises(ItemError, match=r"the largest is 0\n"):
        scaled(np.zeros(9, "u1"))


def test_spectrograms_are_divided_by_the_full_scale_of_their_samples() -> None:
    for dtype in ("c8", "c16", "f4", "f8"):
        array = np.array([[32768, -16384]], dtype)
        assert divided(array, 32768).tolist() == [[1, -0.5]]
        assert divided(array, 32768).dtype == dtype
        assert divided(array, None) is array


@pytest.mark.parametrize(
    ("peak", "hint"),
    [
        (4.5, "full_scale: 5, to bring the peak to full scale; full_scale: 128, if these are 8-bit"),
        (-128.0, "full_scale: 128, if these are 8-bit"),
        (129.0, "full_scale: 32768, if these are 16-bit"),
        (-32768.0, "full_scale: 32768, if these are 16-bit"),
        (32769.0, "full_scale: 8388608, if these are 24-bit"),
        (2.0**31, "full_scale: 2147483648, if these are 32-bit"),
        (1e30, "full_scale: … (the value of full scale)"),
    ],
)
def test_floats_beyond_full_scale_name_the_scale(peak: float, hint: str) -> None:
    with pytest.raises(ItemError) as caught:
        scaled(np.array([-0.1, peak]))
    assert caught.value.code == "beyond-full-scale"
    assert caught.value.message == f"the waveform reaches {abs(peak):.6g}, but full scale is ±1.0"
    assert caught.value.hint.startswith(hint)


def test_a_peak_up_to_four_is_a_loud_waveform() -> None:
    assert scaled(np.array([4.0, -4.0])).tolist() == [4, -4]


@pytest.mark.parametrize("kind", ["magnitude", "power"])
def test_small_negatives_are_clipped_with_a_note(kind: str) -> None:
    array, said = np.array([-1e-4, 0, 1], "f4"), []
    found = without_negatives(array, kind, traits(array), said.append)
    assert found.tolist() == [0, 0, 1]
    assert found.dtype == array.dtype
    assert said == [f"negative {kind} down to -0.0001 taken as 0"]
    assert without_negatives(found, kind, traits(found), said.append) is found


@pytest.mark.parametrize("values", [[-0.1, 1], [-1, -2], [-1e-9], [-80, 0]])
def test_great_negatives_are_no_magnitudes(values: list[float]) -> None:
    array = np.array(values, "f4")
    with pytest.raises(ItemError, match="magnitude cannot be negative, but the smallest value is -") as caught:
        without_negatives(array, "magnitude", traits(array), print)
    assert caught.value.code == "negative-magnitude"
    assert caught.value.hint == ("kind: db, if these are decibels" if min(values) == -80 else "")


def test_linear_values_are_no_decibels() -> None:
    check_decibels(traits(np.array([0.0, 299.0])))
    with pytest.raises(ItemError, match="reach 1000, but no sound has so many decibels") as caught:
        check_decibels(traits(np.array([0.0, 1000.0])))
    assert caught.value.code == "not-decibels"


def test_standardised_values_are_told_from_logarithms() -> None:
    values = np.random.default_rng(0).standard_normal((1, 64, 100))
    values = (values - values.mean()) / values.std()
    with pytest.raises(ItemError) as caught:
        without_negatives(values, "magnitude", traits(values), print)
    wanted = "if these are standardised, save array * std + mean, with the statistics of the model"
    assert caught.value.hint == wanted
    context = Context()
    doubt_decibels(values, traits(values), context)
    assert [doubt.hint for doubt in context.doubts] == [wanted]
    context = Context()
    doubt_decibels(values * 2 - 5, traits(values * 2 - 5), context)
    assert "recipe" in context.doubts[0].hint


def test_whole_numbers_of_which_none_is_negative_may_be_codes() -> None:
    for high, hint in ((255, "mu-law-decode"), (1023, "tokens")):
        codes = np.arange(high + 1, dtype="i8")
        with pytest.raises(ItemError) as caught:
            to_full_scale(codes, None, traits(codes))
        assert caught.value.code == "unknown-scale"
        assert hint in caught.value.remedies[0].prose
    with pytest.raises(ItemError) as caught:
        to_full_scale(codes - 512, None, traits(codes - 512))
    assert "mu-law" not in caught.value.hint
