"""Values of arrays: their type, their limit, and what they are converted to."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.arrays.values import converted, limit_error, numbers, real_or_complex
from tonearm.errors import ItemError, SetOption
from tonearm.plugins.context import Context


def test_numbers_come_in_the_order_of_the_machine() -> None:
    array = np.array([1.0, 2.0], ">f4")
    assert numbers(array).dtype.isnative
    assert numbers(array).tolist() == [1, 2]
    with pytest.raises(ItemError, match="it is a single number"):
        numbers(np.array(1.0))


@pytest.mark.parametrize(
    ("kind", "dtype", "fits"),
    [
        ("complex", "c8", True),
        ("complex", "f4", False),
        ("db", "c8", False),
        ("db", "i2", True),
        ("waveform", "f8", True),
    ],
)
def test_real_and_complex_values_are_told_apart(kind: str, dtype: str, fits: bool) -> None:
    array, bound = np.ones((9, 5), dtype), array_options(kind=kind).kind
    if dtype[0] == "c":
        array = array + 1j
    if fits:
        assert real_or_complex(array, bound, Context()) is array
        return
    with pytest.raises(ItemError) as caught:
        real_or_complex(array, bound, Context())
    assert caught.value.code == "kind-mismatch"
    if kind == "complex":
        assert SetOption("kind", "magnitude") in caught.value.remedies
        return
    assert SetOption("kind", "complex") in caught.value.remedies
    with pytest.raises(ItemError) as caught:  # a row is no spectrogram either
        real_or_complex(array[:1], bound, Context())
    assert caught.value.hint == "save its real part: array.real"


def test_the_real_parts_of_an_inverse_transform_are_a_waveform() -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal(1000)
    found = np.fft.ifft(np.fft.fft(samples))
    context = Context()
    kind = array_options(kind="waveform").kind
    np.testing.assert_array_equal(real_or_complex(found, kind, context), found.real)
    (warning,) = context.warnings
    assert warning.startswith("imaginary parts up to ")
    assert real_or_complex(found.real + 0j, kind, Context()).dtype == np.float64
    with pytest.raises(ItemError, match="is complex, but a waveform is real"):
        real_or_complex(found + 1e-4j, kind, Context())


@pytest.mark.parametrize(
    ("dtype", "kind", "double", "made"),
    [
        ("f4", "real", False, "f4"), ("f8", "real", False, "f4"), ("f4", "real", True, "f8"),
        ("i2", "real", False, "f4"), ("c16", "complex", False, "c8"),
        ("c8", "complex", True, "c16"), ("i2", "stored", True, "i2"),
    ],
)  # fmt: skip
def test_values_get_the_type_of_their_kind(dtype: str, kind: Any, double: bool, made: str) -> None:
    array = np.ones(3, dtype)
    found = converted(array, kind, double=double)
    assert found.dtype == made
    assert np.shares_memory(found, array) == (found.dtype == array.dtype)


def test_values_beyond_float32_become_infinite_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert converted(np.array([-1e300]), "real", double=False).tolist() == [-np.inf]


def test_the_limit_is_named() -> None:
    error = limit_error("cqt", 1e20, 1e16)
    assert (error.code, error.message) == (
        "beyond-range",
        "the cqt array reaches 1e+20, but no sound goes beyond 1e+16",
    )
