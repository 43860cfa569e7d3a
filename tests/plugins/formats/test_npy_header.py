"""Headers of .npy files: a small grammar, each fault with its own code, and no more than 64 KiB read."""

from __future__ import annotations

import base64
import io
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npy_files import claim, raw, saved

from tonearm.api import WRITE_AGAIN, ItemError, file_types
from tonearm_plugins.formats import npy_header
from tonearm_plugins.formats.npy_header import NpyHeader, read_header


def header_of(data: bytes) -> NpyHeader:
    return read_header(io.BytesIO(data), len(data), name="a.npy")


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        header_of(data)
    error = caught.value
    assert error.hint
    assert "\n" not in error.message + error.hint
    assert error.message.startswith("'a.npy'")
    assert len(error.message) < 400
    return error


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version(version: tuple[int, int]) -> None:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.arange(5, dtype=np.float32), version=version)
    data = file.getvalue()
    assert header_of(data) == NpyHeader(
        "<f4", (5,), fortran_order=False, offset=len(data) - 20, itemsize=4, version=version
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(claim(shape="(2L, 3L)"), id="python-2"),
        pytest.param(claim(shape="( 2 ,3, )"), id="spaces"),
        pytest.param(raw('{"shape":(2,3),"fortran_order":False,"descr":"<f4"}\n\n', bytes(24)), id="other order"),
        pytest.param(claim(descr="'f4'"), id="native"),
    ],
)
def test_headers_of_other_writers(data: bytes) -> None:
    header = header_of(data)
    assert (np.dtype(header.dtype_descr), header.shape, header.fortran_order) == (np.float32, (2, 3), False)


class Tracked(io.BytesIO):
    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0
        self.asked += size
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        pytest.fail("values were read")


def test_no_more_than_a_header_is_read() -> None:
    data = npy_header.MAGIC + b"\x02\x00" + (0xFFFFFFF0).to_bytes(4, "little") + b" " * 500_000
    for file in (Tracked(data), Tracked(claim(shape="(10000000000,)", data=300_000))):
        with pytest.raises(ItemError):
            read_header(file, len(file.getvalue()))
        assert file.asked <= npy_header.MAX_HEADER + 12


CODES = {
    "npy-truncated": [
        b"",
        npy_header.MAGIC[:3],
        npy_header.MAGIC + b"\x01\x00\x76",
        npy_header.MAGIC + b"\x02\x00\x76\x00",
        saved(np.zeros(9))[:60],
        saved(np.zeros(9))[:-1],
        claim(data=23),
        claim(shape="(10000000000000,)"),
        claim(shape=f"({2**61 - 1},)"),
    ],
    "npy-trailing": [claim(data=25), saved(np.zeros(3)) * 2],
    "npy-version": [raw("", version=(4, 0)), raw("", version=(1, 1)), raw("", version=(0, 0))],
    "npy-pickle": [
        saved(np.array([{}, None], object), allow_pickle=True),
        claim(descr="'O'"),
        claim(descr="'|O8'"),
    ],
    "npy-dtype": [
        saved(np.zeros(3, [("left", "f4"), ("right", "f4")])),
        saved(np.zeros(3, "V2")),
        saved(np.zeros(3, "V7")),
        saved(np.zeros(3, bool)),
        saved(np.array(["a", "bc"])),
        saved(np.array([b"a", b"bc"])),
        saved(np.zeros(3, "M8[s]")),
        saved(np.zeros(3, "m8[ns]")),
        saved(np.zeros(3, np.longdouble)),
        saved(np.zeros(3, np.clongdouble)),
        claim(descr="''"),
        claim(descr="'f3'"),
        claim(descr="'<f16'"),
        claim(descr="'|S0'", shape="(1000000000000,)", data=0),
        claim(descr="'|V0'", shape="(1000000000000,)", data=0),
        claim(descr="'<f0'", shape="(1000000000000,)", data=0),
        claim(descr="('<f4', (2,))"),
    ],
    "npy-shape": [
        claim(shape="(-2, -3)"),
        claim(shape="(-1,)"),
        claim(shape=f"({2**63},)"),
        claim(shape=f"({2**61},)"),
        claim(shape=f"({'9' * 5000},)"),
        claim(shape="(4294967296, 4294967296)"),
        claim(shape="(4611686018427387904, 4)"),
        claim(shape=f"({2**32}, {2**32}, 0)", data=0).replace(b", 0)", b", 1)"),
        claim(shape="(" + "1, " * 33 + ")"),
    ],
    "npy-scalar": [saved(np.float32(3)), claim(shape="()", data=4)],
    "npy-empty": [saved(np.zeros(0)), saved(np.zeros((2, 0, 3))), claim(shape="(-0,)", data=0)],
    "npy-header": [
        raw(""),
        raw("{}"),
        raw("{" * 60_000),
        raw("(" * 60_000),
        raw("{'descr': " + "-" * 50_000 + "}"),
        raw("{" + " " * 60_000 + "x}"),
        raw("{'shape': (" + " " * 60_000 + "x), }"),
        raw("{'shape': (" + "1" + " " * 60_000 + "x,), }"),
        raw("{'descr': '<f4', 'fortran_order': False}"),
        raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", bytes(24)),
        raw("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", bytes(24)),
        raw("{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}", bytes(24)),
        raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", bytes(24)),
        raw("{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (2, 3)}", bytes(24)),
        raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\x00", bytes(24)),
        claim(shape="[2, 3]"),
        claim(shape="(6)"),
        claim(shape="(,)"),
        claim(shape="(2,, 3)"),
        claim(shape="(2, True)"),
        claim(shape="(2, 3.0)"),
        claim(shape="(2, 3j)"),
        claim(shape="None"),
        claim(shape="(2, (3,))"),
        claim(shape="(0x2, 3)"),
        claim(shape="(02, 3)"),
        claim(shape="(²,)"),
        claim(descr="None"),
        claim(descr="4"),
        claim(descr="'<f4"),
        claim(order="0"),
        claim(order="None"),
        claim(descr="'" + "<" * 40_000 + "'"),
    ],
    "not-npy": [b"hello", b"\x00" * 80, b"PK\x03\x04", b"\x93NUMPX" + bytes(200), bytes(range(256))],
}


@pytest.mark.parametrize(("code", "data"), [(code, data) for code, many in CODES.items() for data in many])
def test_every_fault_has_its_code_and_a_hint(code: str, data: bytes) -> None:
    assert refused(data).code == code


@pytest.mark.parametrize("order", ["", "<", ">", "|", "="])
@pytest.mark.parametrize(
    ("kind", "sizes"), [("f", (2, 4, 8)), ("c", (8, 16)), ("i", (1, 2, 4, 8)), ("u", (1, 2, 4, 8))]
)
def test_numbers_of_the_usual_sizes_alone_are_read(order: str, kind: str, sizes: tuple[int, ...]) -> None:
    for size in range(34):
        data = claim(descr=f"'{order}{kind}{size}'", shape="(1, 3)", data=3 * size)
        if size in sizes:
            assert header_of(data) == NpyHeader(
                f"{order}{kind}{size}",
                (1, 3),
                fortran_order=False,
                offset=len(data) - 3 * size,
                itemsize=size,
                version=(1, 0),
            )
        else:
            assert refused(data).code == "npy-dtype"


@pytest.mark.parametrize("size", [0, 1, 3])
def test_headers_are_read_from_streams_that_give_little_at_once(size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            return super().read(min(count or 0, size) if size else count)

    for version in ((1, 0), (2, 0)):
        data = raw("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", bytes(24), version)
        header = read_header(Slow(data), len(data))
        assert header == NpyHeader("<f4", (2, 3), True, len(data) - 24, 4, version)  # noqa: FBT003
        with pytest.raises(ItemError, match="is cut off within its header"):
            read_header(Slow(data[:50]), 50)


def test_a_header_is_a_value() -> None:
    header = header_of(claim())
    with pytest.raises(FrozenInstanceError):
        header.offset = 0


NOT_NUMPY_S = "save it again with np.save; if NumPy did not write this file, its header is not NumPy's"
BROKEN_SHAPE = "the header is broken; write the file again"
AS_NUMBERS = "save it as numbers: np.save(path, array.astype('float32'))"
AS_DOUBLES = "save it as float64 (or complex128): np.save(path, array.astype('float64'))"
LONG = "x" * 61


def broken(what: str) -> tuple[str, str, str]:
    return "npy-header", f"has a broken header: it {what}", NOT_NUMPY_S


def dtype(what: str, hint: str = AS_NUMBERS) -> tuple[str, str, str]:
    return "npy-dtype", f"holds {what}", hint


def shape(what: str) -> tuple[str, str, str]:
    return "npy-shape", f"has {what}", BROKEN_SHAPE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ("npy-truncated", "is empty: it has 0 bytes", WRITE_AGAIN)),
        *(
            (
                (npy_header.MAGIC + bytes([1, 0, 9]))[:count],
                ("npy-truncated", "is cut off within its first 10 bytes", WRITE_AGAIN),
            )
            for count in (1, 6, 9)
        ),
        *(
            (data, ("npy-truncated", "is cut off within its header", WRITE_AGAIN))
            for data in (
                raw("", version=(2, 0))[:10],
                raw("", version=(2, 0))[:11],
                claim()[:-25],
                raw(" " * 65_535)[:-1],
                raw(" " * 65_536, version=(2, 0))[:-1],
            )
        ),
        (raw("", version=(2, 0)), broken("is not a dict of descr, fortran_order and shape")),
        (raw("{'shape': (2, 3)"), broken("is not a dict of descr, fortran_order and shape")),
        (raw("'shape': (2, 3)}"), broken("is not a dict of descr, fortran_order and shape")),
        (raw("{"), broken("is not a dict of descr, fortran_order and shape")),
        (raw(" " * 65_536, version=(2, 0)), broken("is not a dict of descr, fortran_order and shape")),
        (raw(" " * 65_537, version=(2, 0)), broken("claims 65,537 bytes, but real ones have about 118")),
        (
            raw("", version=(1, 3)),
            (
                "npy-version",
                "has .npy version 1.3; only 1.0, 2.0 and 3.0 can be read",
                "save it again with np.save; if NumPy did not write this file, it is broken",
            ),
        ),
        (
            raw("{'shape': (2, 3), 'x': " + LONG + "}"),
            broken(f"cannot be read at {(chr(32) + repr('x') + ': ' + LONG)[:24]!r}"),
        ),
        (raw("{'shape': (2, 3) " + LONG + "}"), broken(f"cannot be read at {LONG[:24]!r}")),
        (
            raw("{'shape': (2, 3) .'descr': '<f4', 'fortran_order': True}"),
            broken("cannot be read at \".'descr': '<f4', 'fortra\""),
        ),
        (raw("{'shape': (2, 3),, }"), broken("cannot be read at ', }'")),
        (
            raw("{'fortran_order': 1" + LONG + "}"),
            broken(f"has a fortran_order that cannot be read: {('1' + LONG)[:24]!r}"),
        ),
        (raw("{'shape': [2" + LONG + "]}"), broken(f"has a shape that cannot be read: {('[2' + LONG)[:24]!r}")),
        (raw("{'descr': 1}"), broken("has a descr that cannot be read: '1}'")),
        (raw("{'descr': }"), broken("has a descr that cannot be read: '}'")),
        (claim(descr="'" + "z" * 65 + "'"), broken(f"has a descr that cannot be read: {chr(34)}'{'z' * 23}{chr(34)}")),
        (raw("{}"), broken("has no descr and no fortran_order and no shape")),
        (raw("{'fortran_order': True, }"), broken("has no descr and no shape")),
        (raw("{'descr': '<f4', 'shape': (2,)}"), broken("has no fortran_order")),
        (claim(shape="(6)"), broken("has a shape that is not a tuple: '(6)'")),
        (claim(shape=f"(2, {LONG})"), broken(f"has a shape that cannot be read: '(2, {LONG[:55]}…'")),
        (claim(shape="(,)"), broken("has a shape that cannot be read: '(,)'")),
        (claim(shape=f"({'1,' * 33})"), shape("a shape of 33 dimensions; at most 32 can be read")),
        (claim(shape="(-2, 3)"), shape("an impossible length in its shape: '-2'")),
        (claim(shape=f"({'9' * 20},)"), shape(f"an impossible length in its shape: '{'9' * 20}'")),
        (claim(shape=f"({'9' * 50},)"), shape(f"an impossible length in its shape: '{'9' * 39}…'")),
        (claim(shape=f"({'9' * 19},)"), shape(f"a shape that no machine can hold: '({'9' * 19},)'")),
        (claim(shape=f"({2**31}, {2**30})"), shape(f"a shape that no machine can hold: '({2**31}, {2**30})'")),
        (claim(descr="'|u1'", shape=f"({2**63},)"), shape(f"a shape that no machine can hold: '({2**63},)'")),
        (
            claim(shape=f"({'9' * 19}, {'9' * 19}, {'9' * 19})"),
            shape(f"a shape that no machine can hold: '({'9' * 19}, {'9' * 19}, {'9' * 16}…'"),
        ),
        (
            claim(shape="()"),
            ("npy-scalar", "holds a single number (0 dimensions), not an array", "check what was saved"),
        ),
        (
            claim(shape="(2, -0)"),
            (
                "npy-empty",
                "holds no values: its shape is (2, 0)",
                "the program that wrote it had no output; leave the file out",
            ),
        ),
        (
            claim(descr="[('a', '<f4')]"),
            (
                "npy-dtype",
                "is a structured array (it has named fields)",
                "save the field that you need: np.save(path, array['name'])",
            ),
        ),
        (
            claim(descr="'|O'"),
            (
                "npy-pickle",
                "holds Python objects (a pickle); pickles are refused, as they can run any code",
                "arrays of different lengths become objects; save each array alone, or all with np.savez",
            ),
        ),
        *(
            (
                claim(descr=f"'{descr}'"),
                dtype(
                    "2-byte values without a type (V2); it looks like bfloat16", "save it as float32: x.float().numpy()"
                ),
            )
            for descr in ("|V2", "V2", "<V2", ">V2")
        ),
        (
            claim(descr="'|V1'"),
            dtype("bytes without a type ('|V1'), like float8 and other types that NumPy does not know"),
        ),
        (
            claim(descr="'V" + "2" * 30 + "'"),
            dtype(f"bytes without a type ('V{'2' * 22}…'), like float8 and other types that NumPy does not know"),
        ),
        *(
            (
                claim(descr=f"'{order}{code}'"),
                dtype(f"extended precision ('{order}{code}'), whose meaning depends on the machine", AS_DOUBLES),
            )
            for code in ("f16", "f12", "c32", "c24")
            for order in ("<", ">", "")
        ),
        (
            claim(descr="'" + "<" * 30 + "f16'"),
            dtype(f"extended precision ('{'<' * 23}…'), whose meaning depends on the machine", AS_DOUBLES),
        ),
        (claim(descr="'<m8[s]'"), dtype("time spans ('<m8[s]'), not numbers")),
        (claim(descr="'>M8[ns]'"), dtype("dates ('>M8[ns]'), not numbers")),
        (claim(descr="'|b1'"), dtype("truth values (bool) ('|b1'), not numbers")),
        (claim(descr="'?'"), dtype("truth values (bool) ('?'), not numbers")),
        *((claim(descr=f"'{one}3'"), dtype(f"text ('{one}3'), not numbers")) for one in ("<U", "|S", "|a")),
        (claim(descr="'S" + "2" * 30 + "'"), dtype(f"text ('S{'2' * 22}…'), not numbers")),
        (claim(descr="''"), dtype("values of an unknown type: ''")),
        (claim(descr="'<'"), dtype("values of an unknown type: '<'")),
        (claim(descr="'xU3'"), dtype("values of an unknown type: 'xU3'")),
        (claim(descr="'f4 '"), dtype("values of an unknown type: 'f4 '")),
        (claim(descr="'" + "z" * 64 + "'"), dtype(f"values of an unknown type: '{'z' * 23}…'")),
        (
            claim(data=23),
            (
                "npy-truncated",
                "is cut off: its header promises 24 bytes of values (shape (2, 3), <f4), but 23 follow it",
                WRITE_AGAIN,
            ),
        ),
        (
            claim(shape="(2000, 3)"),
            (
                "npy-truncated",
                "is cut off: its header promises 24,000 bytes of values (shape (2000, 3), <f4), but 24 follow it",
                WRITE_AGAIN,
            ),
        ),
        (
            claim(data=5000),
            (
                "npy-trailing",
                "continues after its array (shape (2, 3), <f4): 4,976 bytes",
                "if it is several arrays, save each alone, or all with np.savez; else the header is broken",
            ),
        ),
    ],
)
def test_every_fault_is_described(data: bytes, expected: tuple[str, str, str]) -> None:
    error = refused(data)
    code, message, hint = expected
    assert (error.code, error.message, error.hint) == (code, f"'a.npy' {message}", hint)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(7,)", (7,)),
        ("( 7 , )", (7,)),
        ("(+2, 3)", (2, 3)),
        ("(1, 2, 3)", (1, 2, 3)),
        ("(" + "1, " * 32 + ")", (1,) * 32),
        (f"({2**61 - 1},)", (2**61 - 1,)),
        (f"(1L, {2**61 - 1}L, )", (1, 2**61 - 1)),
    ],
)
def test_shapes_up_to_the_limits_are_read(text: str, shape: tuple[int, ...]) -> None:
    header = npy_header.parse_header(io.BytesIO(claim(shape=text)), "a.npy")
    assert (header.shape, header.nbytes) == (shape, 4 * np.prod(shape))


def test_as_many_bytes_as_a_machine_can_count_are_read() -> None:
    header = npy_header.parse_header(io.BytesIO(claim(descr="'|u1'", shape=f"({2**63 - 1},)")), "a.npy")
    assert header.nbytes == 2**63 - 1


def test_a_longest_header_is_read() -> None:
    text = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}"
    data = raw(text + " " * (65_536 - len(text)), bytes(24), version=(3, 0))
    assert header_of(data).offset == 65_536 + 12


def test_a_header_in_less_than_its_size_leaves_nothing() -> None:
    with pytest.raises(ItemError) as caught:
        read_header(io.BytesIO(claim()), 20)
    assert caught.value.message.endswith("but 0 follow it")


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"garbage\n" * 9, "it looks like text that begins with 'garbage", "save the array with np.save"),
        (b"0.5\n-1e-3\n" * 9, "it looks like text of numbers", "name it .csv or .txt, and read it by text-reader"),
        (b"# a b\n" * 9, "it looks like text that begins with '# a b", "save the array with np.save"),
        (b"\xf0\x81\x92" * 9, "its first bytes are f0 81 92 f0 81 92 f0 81", "save the array with np.save"),
    ],
)
def test_what_garbage_is(content: bytes, message: str, hint: str) -> None:
    with pytest.raises(ItemError) as caught:
        read_header(io.BytesIO(content), len(content))
    assert message in caught.value.message
    assert caught.value.hint.startswith(hint)


def test_only_the_first_bytes_of_another_file_are_read() -> None:
    file = Tracked(b"\xfe\xfe" * file_types.HEAD)
    with pytest.raises(ItemError) as caught:
        read_header(file, 2 * file_types.HEAD)
    assert file.asked == file.tell() == file_types.HEAD
    assert (
        caught.value.message
        == "'the file' is not a .npy file; it looks like no known format: its first bytes are fe fe fe fe fe fe fe fe"
    )


@pytest.mark.parametrize("kind", ["bytes", "void", "base64"])
def test_a_file_in_a_value_is_saved_by_the_line_of_its_hint(kind: str, tmp_path: Path) -> None:
    content = b"fLaC" + bytes(range(1, 100))
    text = base64.b64encode(content).decode()
    array = np.array({"bytes": content, "void": np.void(content), "base64": text}[kind])
    _, _, line = refused(saved(array)).hint.partition(": ")
    exec(line, {"Path": Path, "array": array, "path": tmp_path / "a.flac", "base64": base64})
    assert (tmp_path / "a.flac").read_bytes() == content


def test_hints_fit_the_case() -> None:
    assert "float32" in refused(saved(np.zeros(3, "V2"))).hint
    assert "bfloat16" in refused(saved(np.zeros(3, "V2"))).message
    assert "float64" in refused(saved(np.zeros(3, np.longdouble))).hint
    assert "bool" in refused(saved(np.zeros(3, bool))).message
    assert "pickle" in refused(saved(np.array([None]), allow_pickle=True)).message
    assert "7 bytes" in refused(claim(data=31)).message


def test_a_name_cannot_break_the_line() -> None:
    with pytest.raises(ItemError) as caught:
        read_header(io.BytesIO(b""), 0, name="a\n\x1b[2J\udcff" + "x" * 5000)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


def test_a_file_of_another_type_is_named() -> None:
    error = refused(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    assert error.message == "'a.npy' is not a .npy file; it looks like a WAV file"
    assert "audio-reader" in error.hint


@pytest.mark.parametrize("scalars", [False, True])
def test_single_numbers_are_allowed_on_request(scalars: bool) -> None:
    data = saved(np.float32(3))
    if scalars:
        assert npy_header.parse_header(io.BytesIO(data), "a.npy", scalars=True).nbytes == 4
    else:
        with pytest.raises(ItemError) as caught:
            npy_header.parse_header(io.BytesIO(data), "a.npy")
        assert caught.value.code == "npy-scalar"


def test_the_file_is_left_at_its_values() -> None:
    file = io.BytesIO(saved(np.arange(3.0)))
    header = read_header(file, len(file.getvalue()))
    assert file.tell() == header.offset
    assert header.nbytes == 24
