"""Values of Kaldi archives, held against kaldiio, and on both sides of the memory that they may take."""

from __future__ import annotations

import io
import struct
from typing import Any

import kaldiio
import numpy as np
import pytest
import soundfile
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
    assert FLOATS_HEADER == 15
    assert floats_size(VALUES["integers"][:FLOATS_HEADER]) == 0
    assert floats_size(b"\0BFV \4\0\0\0\0") == floats_size(b"\0BFV \5\1\0\0\0") == floats_size(b"") == 0


def header(kind: bytes, *shape: int) -> bytes:
    return b"\0B" + kind + b"".join(struct.pack("<bi", 4, count) for count in shape)


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (header(b"FM ", 1, 1), 15 + 4),
        (header(b"DM ", 300, 70_000), 15 + 8 * 300 * 70_000),
        (header(b"FV ", 1), 10 + 4),
        (header(b"DV ", 2), 10 + 16),
        (header(b"FM ", 0, 1), 0),
        (header(b"FM ", 1, 0), 0),
        (header(b"FM ", -1, 1), 0),
        (header(b"FM ", -3, -2), 0),
        (header(b"DV ", -1), 0),
        (header(b"XV ", 1), 0),
        (header(b"FM ", 1, 1).replace(b"\4", b"\3", 1), 0),
    ],
)
def test_sizes_of_floats_by_their_header(start: bytes, size: int) -> None:
    assert floats_size(start) == size


def refused(data: bytes) -> tuple[str, str, str]:
    """The code, the message and the reason of an error, which is no part of the message."""
    with pytest.raises(ItemError) as caught:
        read(data)
    assert caught.value.hint
    return caught.value.code, caught.value.message, str(caught.value.__cause__ or "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header(b"FM ", 0, 1), "the value is empty"),
        (header(b"FM ", -3, -2) + bytes(24), "the value is empty"),
        (header(b"DV ", 0), "the value is empty"),
        (b"\0BXM " + bytes(20), "unknown type"),
        (b"\0B\x05" + bytes(20), "unknown type"),
        (b"\0BCM " + struct.pack("<ffii", 0, 1, 0, 5), "the value is empty"),
        (b"\0BCM2 " + struct.pack("<ffii", 0, 1, 5, 0), "the value is empty"),
        (b"\0BCM3 " + struct.pack("<ffii", 0, 1, -5, 1), "the value is empty"),
        (b"\0B\4\2\0\0\0" + struct.pack("<bibi", 4, 1, 3, 1), "the value is not a vector of integers"),
        (b"[ 1 2", "the matrix does not end"),
        (b"[ ]", "the value is empty"),
        (b"[]" + b" " * 70_000 + b"]", "the value is empty"),
        (b"\n\n", "the value is empty"),
        (b"NPY\x01\x04none", "the array cannot be read"),
    ],
)
def test_reasons_stay_out_of_the_message(data: bytes, reason: str) -> None:
    code, message, cause = refused(data)
    assert (code, message, cause) == ("broken-file", "'a.ark' cannot be read as a Kaldi archive", reason)


def test_pickles_and_missing_values_are_refused() -> None:
    assert refused(b"PKL" + bytes(20)) == (
        "kaldi-refused",
        "'a.ark' holds a pickle; pickles are refused, as they can run any code",
        "",
    )
    assert refused(b"")[:2] == ("broken-file", "'a.ark' ends where a value should be")


def test_a_vector_of_no_integers_is_empty() -> None:
    assert read(b"\0B\4\0\0\0\0").tolist() == []
    assert refused(b"\0B\4\xff\xff\xff\xff" + bytes(20))[1] == "'a.ark' claims -5 more bytes, but only 20 are left"


FLAC, WAV = io.BytesIO(), io.BytesIO()
soundfile.write(FLAC, np.arange(60, dtype="i2").reshape(30, 2), 8000, format="FLAC")
soundfile.write(WAV, np.arange(60, dtype="i2"), 8000, format="WAV")


@pytest.mark.parametrize("is_flac", [True, False])
def test_sounds_are_after_their_length_or_the_rest_of_the_file(is_flac: bool) -> None:
    encoded = (FLAC if is_flac else WAV).getvalue()
    for size in (4, 8):
        file = BoundedFile(
            io.BytesIO(b"AUDIO" + bytes([size]) + len(encoded).to_bytes(size, "little") + encoded + b"more"), "a.ark"
        )
        rate, samples = read_value(file)
        assert (rate, samples.shape) == (8000, (30, 2) if is_flac else (60,))
        assert np.array_equal(samples.ravel() * 32768, np.arange(60))
        assert file.read(4) == b"more"
    if is_flac:
        rate, samples = read(encoded)
        assert (rate, samples.shape) == (8000, (30, 2))


TEXT = b"[ " + b"1 " * 50 + b"]"


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        (VALUES["FM"], 2 * MATRIX.nbytes),
        (VALUES["DM"], 4 * MATRIX.nbytes),
        (VALUES["integers"], 2 * 5 * 13),
        (VALUES["compressed 2"], 2 * 8 * 30),
        (VALUES["compressed 3"], 2 * 8 * 30),
        (VALUES["compressed 5"], 2 * 8 * 30),
        (TEXT, 2 * 4 * 101),
        (FLAC.getvalue(), 2 * len(FLAC.getvalue())),
        (WAV.getvalue(), 2 * (len(WAV.getvalue()) - 8)),
        (WAV.getvalue().replace(struct.pack("<I", len(WAV.getvalue()) - 8), b"\xff" * 4), 2 * len(WAV.getvalue())),
    ],
)
def test_memory_of_a_value(data: bytes, taken: int) -> None:
    with limited_memory(taken - 1), pytest.raises(ItemError) as caught:
        read(data)
    assert caught.value.code == "too-large"
    assert caught.value.message.startswith("'a.ark': 'k' would take")
    with limited_memory(taken if data[:1] in b"\0[" else 1 << 20):  # the library of sounds takes more
        read(data)


def test_values_that_cannot_be_there_are_cut_off_rather_than_too_large() -> None:
    with limited_memory(100):
        for data in (
            header(b"FM ", 1000, 1000) + bytes(50),
            b"\0B\4" + struct.pack("<i", 1 << 30) + bytes(50),
            b"AUDIO\4" + struct.pack("<i", 1 << 30) + bytes(50),
            b"\0BCM " + struct.pack("<ffii", 0, 1, 1000, 1000) + bytes(50),
        ):
            assert refused(data)[0] == "broken-file"


@pytest.mark.parametrize(
    ("text", "values", "kind", "rest"),
    [
        (b" 1 2\nnext", [1, 2], "i4", b"next"),
        (b"\n 1.5 2\nnext", [1.5, 2], "f4", b"next"),
        (b"1 2", [1, 2], "i4", b""),
        (b"[ 1 2 ]\nnext", [1, 2], "i4", b"next"),
        (b"  [ 1.0 2 ]\nnext", [1, 2], "f4", b"next"),
        (b"[\n 1 2\n 3 4 ]\nnext", [[1, 2], [3, 4]], "f4", b"next"),
        (b"[ 1 2\n 3 4 ]\nnext", [[1, 2], [3, 4]], "i4", b"next"),
        (b"[\n 1 2 ]\nnext", [[1, 2]], "f4", b"next"),
        (b"[ 1 2 ]", [1, 2], "i4", b""),
    ],
)
def test_texts_by_their_brackets_and_lines(text: bytes, values: Any, kind: str, rest: bytes) -> None:
    file = BoundedFile(io.BytesIO(text), "a.ark")
    found = read_value(file)
    assert (found.dtype, found.tolist()) == (kind, values)
    assert file.read(9) == rest


def test_the_memory_of_a_long_text_is_bounded_as_it_is_read() -> None:
    """A text without an end is not read to its end: kaldi's matrices may be in a file of any size."""
    file = BoundedFile(io.BytesIO(b"[ " + b"1 " * 500_000), "a.ark")
    with limited_memory(1_200_000), pytest.raises(ItemError) as caught:
        read_value(file)
    assert caught.value.code == "too-large"
    assert file.tell() == 3 * (1 << 16)


@pytest.mark.parametrize("count", [(1 << 16) - 40, 1 << 16, (1 << 16) + 40, 3 << 16])
def test_texts_on_both_sides_of_the_bytes_that_are_read_at_a_time(count: int) -> None:
    numbers = b"1 " * (count // 2)
    for data in (numbers + b"\n7 8", b"[ " + numbers + b"]\n7 8"):
        file = BoundedFile(io.BytesIO(data), "a.ark")
        assert read_value(file).tolist() == [1] * (count // 2)
        assert file.read(3) == b"7 8"
