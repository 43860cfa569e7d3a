"""Memory of conversions: that of copies and held arrays, none for mapped ones that stay as they are."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import ArrayOptions, ItemError
from tonearm.arrays.conversion_memory import CHECKED_FROM, check_conversion
from tonearm.arrays.read import read_array
from tonearm.plugins.context import Context
from tonearm.reading.memory import limited_memory

COUNT = 1_000_000
STFT = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}


def mapped(dtype: str, shape: Any = (COUNT,)) -> Any:
    with tempfile.TemporaryFile() as file:
        file.truncate(int(np.prod(shape)) * np.dtype(dtype).itemsize)
        return np.memmap(file, dtype, "r", 0, shape)


def least_memory(array: Any, parts: int = 0, **options: Any) -> int:
    """The least memory in megabytes within which an array can be converted."""
    made = array_options(ArrayOptions, **({"sample_rate": 8000, "kind": "waveform"} | options))
    for megabytes in range(100):
        with limited_memory(megabytes * 1_000_000), contextlib.suppress(ItemError):
            check_conversion(array, made, parts=parts)
            return megabytes
    pytest.fail("more than 100 MB")


@pytest.mark.parametrize(
    ("dtype", "options", "megabytes"),
    [
        ("f4", {}, 0),
        ("f8", {}, 4),
        ("f8", {"precision": "double"}, 0),
        ("f4", {"precision": "double"}, 8),
        ("i2", {}, 4),
        ("i4", {}, 8),
        ("f4", {"full_scale": 32768.0}, 4),
        (">f4", {}, 4),
        (">f8", {"precision": "double"}, 8),
        ("f4", {"nan": "zero"}, 4),
    ],
)
def test_a_mapped_waveform_takes_its_copies(dtype: str, options: dict[str, Any], megabytes: int) -> None:
    assert least_memory(mapped(dtype), **options) == megabytes


@pytest.mark.parametrize(
    ("dtype", "options", "megabytes"),
    [
        ("c8", {}, 0),
        ("c16", {"precision": "double"}, 0),
        ("c16", {}, 8),
        ("c8", {"precision": "double"}, 16),
        ("c8", {"full_scale": 32768.0}, 8),
        ("c8", {"nan": "zero"}, 4),
        (">c8", {}, 4),
        ("f4", {"axes": ["bin", "frame", "complex"]}, 16),
    ],
)
def test_a_mapped_complex_spectrogram_takes_its_copies(dtype: str, options: dict[str, Any], megabytes: int) -> None:
    array = mapped(dtype, (9, COUNT // 18, 2) if "axes" in options else (9, COUNT // 9 // 2))
    assert least_memory(array, **({"kind": "complex", "axes": ["bin", "frame"]} | STFT | options)) == megabytes


def test_a_held_array_takes_itself_too() -> None:
    assert least_memory(np.zeros(COUNT, "f4")) == 4
    assert least_memory(np.zeros(COUNT, "i2")) == 6
    assert least_memory(np.zeros((4, COUNT // 4), "f4")[:, ::2]) == 2


def test_a_batch_is_converted_one_by_one() -> None:
    array = mapped("i2", (10, COUNT // 10))
    assert least_memory(array, axes=["channel", "time"]) == 4
    assert least_memory(array, axes=["batch", "time"]) == 1


def test_spectrograms_and_their_parts_take_more() -> None:
    array = mapped("f4", (COUNT // 100, 100))
    assert least_memory(array, kind="magnitude", axes=["frame", "bin"], **STFT) == 8
    assert least_memory(array, 1, kind="magnitude", axes=["frame", "bin"], **STFT) == 16


def test_a_large_array_is_refused_before_it_is_converted() -> None:
    array = mapped("i2", (CHECKED_FROM,))
    options = array_options(ArrayOptions, kind="waveform", sample_rate=8000)
    with limited_memory(4 * CHECKED_FROM):
        (signal,) = read_array(array, options, Context())
    assert signal.samples.nbytes == 4 * CHECKED_FROM
    with limited_memory(4 * CHECKED_FROM - 2), pytest.raises(ItemError) as caught:
        list(read_array(array, options, Context()))
    assert caught.value.code == "too-large"
    array = mapped("i2", (CHECKED_FROM - 1,))
    with limited_memory(1000):  # too small to be worth a check
        list(read_array(array, options, Context()))
