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


def element(kind: int, data: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def small(kind: int, data: bytes, order: str = "<") -> bytes:
    """An element of up to 4 bytes, which are in its tag."""
    kind_and_size = struct.pack(order + "I", len(data) << 16 | kind)
    return kind_and_size + data.ljust(4, b"\0")


def compressed(data: bytes) -> bytes:
    return struct.pack("<II", 15, len(data)) + data  # these are not padded


def matrix(
    *,
    shape: tuple[int, ...] = (2, 2),
    flags: int = 6,
    kind: int = 9,
    values: bytes = bytes(32),
    imaginary: bytes | None = None,
    name: bytes = b"wav",
    order: str = "<",
) -> bytes:
    """A variable of doubles, with any figures."""
    parts = [
        element(6, struct.pack(order + "II", flags, 0), order),
        element(5, struct.pack(f"{order}{len(shape)}i", *shape), order),
        element(1, name, order),
        element(kind, values, order),
        b"" if imaginary is None else element(kind, imaginary, order),
    ]
    return element(14, b"".join(parts), order)


def variable(*parts: bytes) -> bytes:
    """A file whose only variable has these elements."""
    content = b"".join(parts)
    return HEADER + struct.pack("<II", 14, len(content)) + content


FLAGS = element(6, struct.pack("<II", 6, 0))
UINT8 = element(6, struct.pack("<II", 9, 0))
SHAPE = element(5, struct.pack("<2i", 2, 2))
NAME = element(1, b"wav")


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
    big = HEADER[:126] + b"MI"
    check(big + matrix(order=">"))
    parts = element(6, struct.pack(">II", 9, 0), ">") + element(5, struct.pack(">2i", 2, 2), ">")
    check(big + element(14, parts + small(1, b"a", ">") + small(2, bytes(4), ">"), ">"))
    with pytest.raises(ItemError):
        check(HEADER + matrix(order=">"))


def test_types_that_other_programs_write_for_shapes_and_names_pass() -> None:
    """As in SciPy's miuint32_for_miint32.mat and miutf8_array_name.mat."""
    data = variable(FLAGS, element(6, struct.pack("<2I", 2, 2)), element(16, b"wav"), element(9, bytes(32)))
    check(data)
    assert scipy.io.loadmat(io.BytesIO(data))["wav"].tolist() == [[0, 0], [0, 0]]
    for parts in ((element(7, struct.pack("<2I", 2, 2)), NAME), (SHAPE, element(17, b"wav"))):
        assert refused(variable(FLAGS, *parts, element(9, bytes(32)))).code == "broken-file"


def test_the_file_that_the_others_are_made_of_passes() -> None:
    check(HEADER + matrix())
    check(HEADER + matrix(shape=(1, 4)) + matrix())
    check(HEADER + compressed(zlib.compress(matrix())))
    check(HEADER)
    check(variable(FLAGS, SHAPE, NAME, element(9, bytes(32))))


SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}


@pytest.mark.parametrize("kind", range(20))
def test_each_type_has_its_size(kind: int) -> None:
    """The types of "MAT-File Format", table 1-1."""
    size = SIZES.get(kind, 0)
    for count in {4 * size - 1, 4 * size, 4 * size + 1, 4} - {-1}:
        data = HEADER + matrix(kind=kind, values=bytes(count))
        if size and count == 4 * size:
            check(data)
        else:
            assert refused(data).message.endswith(f"a variable of shape (2, 2) has {count:,} bytes of values")


WIDTHS = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}


@pytest.mark.parametrize("kind", range(1, 19))
@pytest.mark.parametrize("is_complex", [False, True])
def test_memory_is_that_of_the_class(kind: int, is_complex: bool) -> None:
    """Classes that are not numbers are not read, so they take none."""
    values = bytes(10_000)
    flags = kind | (0x0800 if is_complex else 0)
    data = HEADER + matrix(
        shape=(100, 100), flags=flags, kind=2, values=values, imaginary=values if is_complex else None
    )
    taken = 2 * WIDTHS.get(kind, 0) * 10_000 * (1 + is_complex)
    with limited_memory(max(1, taken)):
        check(data)
    if taken:
        with limited_memory(taken - 1):
            assert refused(data).code == "too-large"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_small_elements_are_in_their_tags(count: int) -> None:
    name = small(1, bytes(count)) if count < 5 else struct.pack("<I", count << 16 | 1) + bytes(4)
    data = variable(UINT8, SHAPE, name, small(2, bytes(4)))
    if count < 5:
        check(data)
    else:
        assert refused(data).message.endswith("a variable is cut off")


@pytest.mark.parametrize(("flags", "kind"), [(9, 2), (9 | 0x0800, 2)])
def test_values_in_their_tags_are_followed_by_the_next_element(flags: int, kind: int) -> None:
    start = element(6, struct.pack("<II", flags, 0)) + SHAPE + NAME + small(kind, bytes(4))
    for more, fits in ((b"", flags == 9), (small(kind, bytes(4)), True), (small(77, bytes(4)), flags == 9)):
        if fits:
            check(variable(start, more))
        else:
            refused(variable(start, more))


def test_complex_values_are_padded() -> None:
    start = element(6, struct.pack("<II", 9 | 0x0800, 0)) + element(5, struct.pack("<2i", 1, 5)) + NAME
    check(variable(start, element(2, bytes(5)), element(2, bytes(5))))
    check(variable(start, element(2, bytes(5)), element(2, bytes(5))[:-3]))  # the end may lack its padding
    error = refused(variable(start, element(2, bytes(5)), element(2, bytes(4))))
    assert error.message.endswith("a variable of shape (1, 5) has 4 bytes of imaginary parts")


@pytest.mark.parametrize(("length", "fits"), [(0, True), (4095, True), (4096, True), (4097, False)])
def test_names_have_up_to_4096_bytes(length: int, fits: bool) -> None:
    data = HEADER + matrix(name=b"\xe4" * length)
    if fits:
        check(data)
    else:
        assert refused(data).message.endswith("a variable is cut off")


@pytest.mark.parametrize(
    ("shape", "fits"),
    [((), False), ((4,), False), ((2, 2), True), ((1,) * 30 + (2, 2), True), ((1,) * 31 + (2, 2), False)],
)
def test_shapes_have_2_to_32_axes(shape: tuple[int, ...], fits: bool) -> None:
    if fits:
        check(HEADER + matrix(shape=shape))
    else:
        assert refused(HEADER + matrix(shape=shape)).message.endswith("a variable has no shape")


def test_empty_arrays_pass() -> None:
    check(HEADER + matrix(shape=(0, 3), values=b""))
    check(HEADER + matrix(shape=(0, 0), values=b"") + matrix())


def test_bytes_are_cut_off_of_files_and_of_inflated_data_alike() -> None:
    body = matrix()[8:]
    for count in range(len(body)):
        data = element(14, body[:count])[: 8 + count]
        for packed in (data, compressed(zlib.compress(data))):
            assert refused(HEADER + packed).code == "broken-file"


def test_a_second_variable_is_found_after_the_first() -> None:
    for first in (matrix(), compressed(zlib.compress(matrix()))):
        at = 128 + len(first)
        for second in (element(13, b""), compressed(zlib.compress(element(13, bytes(8)))), bytes(7), bytes(8)):
            assert (
                refused(HEADER + first + second).message == f"'a.mat' is damaged: byte {at:,} does not start a variable"
            )


def test_variables_may_be_over_1000_bytes_away() -> None:
    first = matrix(shape=(100, 100), values=bytes(80_000))
    assert "byte 80,192 does not" in refused(HEADER + first + bytes(8)).message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its header is cut off or wrong"),
        (HEADER[:127], "its header is cut off or wrong"),
        (HEADER[:126] + b"M", "its header is cut off or wrong"),
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
        (variable(element(6, bytes(4))), "a variable has no type"),
        (variable(element(6, bytes(12)), SHAPE, NAME), "a variable has no type"),
        (variable(element(5, bytes(8)), SHAPE, NAME), "a variable has no type"),
        (variable(element(7, bytes(8)), SHAPE, NAME), "a variable has no type"),
        (variable(FLAGS, element(4, bytes(8)), NAME), "a variable has no shape"),
        (variable(FLAGS, element(7, bytes(8)), NAME), "a variable has no shape"),
        (variable(FLAGS, element(5, bytes(9)), NAME), "a variable has no shape"),
        (variable(FLAGS, SHAPE, element(0, b"wav")), "a variable has no name, or an impossible shape"),
        (variable(FLAGS, SHAPE, element(2, b"wav")), "a variable has no name, or an impossible shape"),
        (HEADER + matrix(shape=(2, -1)), "a variable has no name, or an impossible shape"),
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
    packed = zlib.compress(matrix(shape=(1 << 9, 1 << 10), values=bytes(1 << 22)), 9)
    error = refused(HEADER + compressed(packed))
    assert error.code == "too-large"
    assert error.message.endswith("to more than 1,048,576 bytes")
    assert error.hint.endswith("-v6")


def test_what_follows_a_variable_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat5, "ARRAY_BYTES", mat5.ARRAY_BYTES._replace(free=1 << 20))
    text = matrix(flags=4)
    assert refused(HEADER + compressed(zlib.compress(text + bytes(1 << 22), 9))).code == "too-large"
    assert refused(HEADER + compressed(zlib.compress(text + bytes(8)))).code == "broken-file"


def test_memory_is_that_of_the_type_that_is_read() -> None:
    data = matrix(shape=(100, 100), kind=1, values=bytes(10_000), name=b"\xe4")  # doubles that are stored as bytes
    for packed in (data, compressed(zlib.compress(data))):
        with limited_memory(159_999):
            error = refused(HEADER + packed)
        assert (error.code, error.message.startswith("'a.mat': 'ä' would take 0.1GB")) == ("too-large", True)
        assert "-v6" not in str(error.hint)
