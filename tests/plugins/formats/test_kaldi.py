"""Values of Kaldi archives, held against kaldiio, and on both sides of the memory that they may take."""

from __future__ import annotations

import io
from typing import Any

import kaldiio
import numpy as np
import pytest
from kaldiio.matio import read_kaldi

from tonearm.api import BoundedFile, ItemError, limited_memory
from tonearm_plugins.formats.kaldi import FLOATS_HEADER, floats_size, read_value

RNG = np.random.default_rng(4)
MATRIX = RNG.uniform(-1, 1, (6, 5)).astype("f4")


def value(array: Any, **how: Any) -> bytes:
    """The bytes of a value, as kaldiio writes it."""
    file = io.BytesIO()
    kaldiio.save_ark(file, {"k": array}, **how)
    return file.getvalue()[2:]


def read(data: bytes) -> Any:
    return read_value(BoundedFile(io.BytesIO(data), "a.ark"), "k")


VALUES = {
    "FM": value(MATRIX),
    "DM": value(MATRIX.astype("f8")),
    "FV": value(MATRIX[0]),
    "DV": value(MATRIX[0].astype("f8")),
    "integers": value(np.arange(-4, 9, dtype="i4")),
    **{f"compressed {method}": value(MATRIX, compression_method=method) for method in range(1, 8)},
    "text matrix": value(MATRIX, text=True),
    "text of integers": value(np.arange(6, dtype="i4").reshape(2, 3), text=True),
    "text vector": value(MATRIX[0], text=True),
    "bare numbers": b"1.5 2 -3e2\n",
    "bare integers": b"1 2 3\n",
    "one line": b"[ 1 2 3 ]\n",
    "numpy": value(MATRIX, write_function="numpy"),
    "wave": value((8000, np.arange(50, dtype="i2"))),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_that_kaldiio_reads(name: str) -> None:
    data = VALUES[name]
    file = BoundedFile(io.BytesIO(data + b"next utterance"), "a.ark")
    found, expected = read_value(file, "k"), read_kaldi(io.BytesIO(data))
    if name == "wave":
        assert found[0] == expected[0] == 8000
        found, expected = found[1], expected[1]
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    assert file.tell() == len(data)


@pytest.mark.parametrize("name", VALUES)
def test_no_value_takes_more_than_the_memory(name: str) -> None:
    data = VALUES[name]
    with limited_memory(8), pytest.raises(ItemError) as caught:
        read(data)
    assert caught.value.code == "too-large"
    with limited_memory(40 * len(data)):
        read(data)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_cut_off_is_an_error_or_shorter(name: str) -> None:
    for count in range(len(VALUES[name])):
        try:
            read(VALUES[name][:count])
        except ItemError as error:
            assert error.code == "broken-file"  # noqa: PT017


@pytest.mark.parametrize("name", ["FM", "DM", "FV", "DV"])
def test_the_size_of_floats_is_that_of_the_value(name: str) -> None:
    assert floats_size(VALUES[name][:FLOATS_HEADER]) == len(VALUES[name])


def test_other_values_have_no_size_of_floats() -> None:
    assert floats_size(VALUES["integers"][:FLOATS_HEADER]) == 0
    assert floats_size(b"\0BFV \4\0\0\0\0") == floats_size(b"\0BFV \5\1\0\0\0") == floats_size(b"") == 0


@pytest.mark.parametrize("count", [(1 << 16) - 40, 1 << 16, (1 << 16) + 40])
def test_texts_on_both_sides_of_the_bytes_that_are_read_at_a_time(count: int) -> None:
    numbers = b"1 " * (count // 2)
    for data in (numbers + b"\n7 8", b"[ " + numbers + b"]\n7 8"):
        file = BoundedFile(io.BytesIO(data), "a.ark")
        assert read_value(file).tolist() == [1] * (count // 2)
        assert file.read(3) == b"7 8"
