"""Headers of .npy files: a small grammar, each fault with its own code, and no more than 64 KiB read."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from npy_files import claim, raw, saved

from tonearm.api import ItemError
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
