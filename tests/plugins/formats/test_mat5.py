"""MATLAB files of versions 5 to 7: those of SciPy pass, and each element that does not match its tags is refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import scipy.io

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import mat5

VALUES = {"wav": np.arange(6.0).reshape(2, 3), "c": np.ones(3) * 1j, "i": np.arange(5, dtype="i2"), "text": "hello"}
CUT_OFF = "'compressed data end before their end-of-stream marker'"
HEADER = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"


def saved(**how: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, VALUES | {"cell": np.array(["a", 1], "O"), "s": {"a": 1}}, **how)
    return file.getvalue()


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def compressed(data: bytes) -> bytes:
    return struct.pack("<II", 15, len(data)) + data  # these are not padded


def matrix(*, shape: tuple[int, ...] = (2, 2), flags: int = 6, kind: int = 9, values: bytes = bytes(32)) -> bytes:
    """A variable of doubles, with any figures."""
    dimensions = struct.pack(f"<{len(shape)}i", *shape)
    parts = [
        element(6, struct.pack("<II", flags, 0)),
        element(5, dimensions),
        element(1, b"wav"),
        element(kind, values),
    ]
    return element(14, b"".join(parts))


def check(data: bytes) -> None:
    mat5.check(io.BytesIO(data), "a.mat")


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        check(data)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("how", [{}, {"do_compression": True}])
def test_files_of_scipy_pass(how: dict[str, Any]) -> None:
    file = io.BytesIO(saved(**how))
    file.seek(50)
    mat5.check(file, "a.mat")
    assert file.tell() == 0


def test_a_file_of_the_other_byte_order_passes() -> None:
    body = [struct.pack(">III", 6, 8, 6) + bytes(4), struct.pack(">IIii", 5, 8, 1, 1)]
    body += [struct.pack(">II", 1, 1) + b"a" + bytes(7), struct.pack(">IId", 9, 8, 0.5)]
    content = b"".join(body)
    check(HEADER[:126] + b"MI" + struct.pack(">II", 14, len(content)) + content)


def test_the_file_that_the_others_are_made_of_passes() -> None:
    check(HEADER + matrix())
    check(HEADER + matrix(shape=(1, 4)) + matrix())
    check(HEADER + compressed(zlib.compress(matrix())))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HEADER[:100], "its header is cut off or wrong"),
        (HEADER[:126] + b"XX" + matrix(), "its header is cut off or wrong"),
        (HEADER + matrix()[:7], "byte 128 does not start a variable"),
        (HEADER + matrix()[:-8], "byte 128 does not start a variable"),
        (HEADER + element(99, bytes(8)), "byte 128 does not start a variable"),
        (HEADER + matrix() + element(7, bytes(8)), "byte 224 does not start a variable"),
        (HEADER + matrix(shape=(3, 2)), "a variable of shape (3, 2) has 32 bytes of values"),
        (HEADER + matrix(shape=(-2, -2)), "a variable has no name, or an impossible shape"),
        (HEADER + matrix(shape=(4,)), "a variable has no shape"),
        (HEADER + matrix(kind=77), "a variable of shape (2, 2) has 32 bytes of values"),
        (HEADER + matrix(flags=6 | 0x0800), "a variable is cut off"),
        (HEADER + element(14, element(6, bytes(4))), "a variable has no type"),
        (HEADER + element(14, struct.pack("<HHI", 1, 9, 0)), "a variable is cut off"),
        (HEADER + compressed(zlib.compress(matrix())[:-6]), CUT_OFF),
        (HEADER + compressed(b"nonsense"), "'Error -3 while decompressing data: incorrect header check'"),
        (HEADER + compressed(zlib.compress(element(9, bytes(8)))), "byte 128 does not start a variable"),
    ],
)
def test_an_element_that_does_not_match_its_tags_is_refused(data: bytes, message: str) -> None:
    error = refused(data)
    assert (error.code, error.message) == ("broken-file", f"'a.mat' is damaged: {message}")


def test_a_variable_that_is_no_matrix_of_numbers_is_not_checked_further() -> None:
    check(HEADER + matrix(flags=4, kind=77))  # text, whose values have a type that does not exist


def test_a_variable_that_inflates_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat5, "ARRAY_BYTES", mat5.ARRAY_BYTES._replace(free=1 << 20))
    error = refused(HEADER + compressed(zlib.compress(matrix(shape=(1 << 9, 1 << 10), values=bytes(1 << 22)), 9)))
    assert error.code == "too-large"
    assert error.message.endswith("to more than 1,048,576 bytes")
    assert error.hint.endswith("-v6")


def test_what_follows_a_variable_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat5, "ARRAY_BYTES", mat5.ARRAY_BYTES._replace(free=1 << 20))
    text = matrix(flags=4)
    assert refused(HEADER + compressed(zlib.compress(text + bytes(1 << 22), 9))).code == "too-large"
    assert refused(HEADER + compressed(zlib.compress(text + bytes(8)))).code == "broken-file"


@pytest.mark.parametrize("pack", [lambda data: data, lambda data: compressed(zlib.compress(data))], ids=["v6", "v7"])
def test_memory_of_the_type_that_is_read_is_bounded(pack: Any) -> None:
    data = HEADER + pack(matrix(shape=(100, 100), kind=1, values=bytes(10_000)))  # doubles that are stored as bytes
    with limited_memory(160_000):
        check(data)
    with limited_memory(159_999):
        error = refused(data)
    assert error.code == "too-large"
    assert error.message.startswith("'a.mat': 'wav' would take 0.1GB")
