"""The .npy reader: takes what NumPy writes, refuses everything else with an ItemError and nothing but that."""

from __future__ import annotations

import io
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.api import ItemError
from tonearm_plugins.formats import npy, npy_header

NUMBERS = ["f2", "f4", "f8", "c8", "c16", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def saved(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def raw(header: str | bytes, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    text = header if isinstance(header, bytes) else header.encode("latin-1")
    length = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return npy_header.MAGIC + bytes(version) + length + text + data


def claim(descr: str = "'<f4'", shape: str = "(2, 3)", order: str = "False", data: int = 24) -> bytes:
    return raw(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}", bytes(data))


def load(data: bytes, **options: Any) -> Any:
    return npy.load(io.BytesIO(data), len(data), name="a.npy", **options)


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        load(data)
    error = caught.value
    assert error.hint
    assert "\n" not in error.message + error.hint
    assert error.message.startswith("'a.npy'")
    assert len(error.message) < 400
    return error


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("endian", "<>")
@pytest.mark.parametrize("order", "CF")
def test_every_number_type_byte_order_and_axis_order_comes_back_as_saved(kind: str, endian: str, order: Any) -> None:
    array = np.arange(1, 25).reshape(2, 3, 4).astype(endian + kind, order=order)
    got = load(saved(array))
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype
    assert got.flags.c_contiguous == (order == "C")
    assert got.flags.f_contiguous == (order == "F")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version(version: tuple[int, int]) -> None:
    file = io.BytesIO()
    array = np.arange(5, dtype=np.float32)
    np.lib.format.write_array(file, array, version=version)
    data = file.getvalue()
    header = npy_header.read_header(io.BytesIO(data), len(data))
    assert header == npy_header.NpyHeader(
        "<f4", (5,), fortran_order=False, offset=len(data) - 20, itemsize=4, version=version
    )
    np.testing.assert_array_equal(load(data), array)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(claim(shape="(2L, 3L)"), id="python-2"),
        pytest.param(claim(shape="( 2 ,3, )"), id="spaces"),
        pytest.param(raw('{"shape":(2,3),"fortran_order":False,"descr":"<f4"}\n\n', bytes(24)), id="other order"),
        pytest.param(claim(descr="'f4'"), id="native"),
    ],
)
def test_what_other_writers_write(data: bytes) -> None:
    np.testing.assert_array_equal(load(data), np.zeros((2, 3), np.float32))


class Tracked(io.BytesIO):
    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0
        self.asked += size
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        pytest.fail("values were read")


def test_judging_reads_no_more_than_a_header() -> None:
    data = npy_header.MAGIC + b"\x02\x00" + (0xFFFFFFF0).to_bytes(4, "little") + b" " * 500_000
    for file in (Tracked(data), Tracked(claim(shape="(10000000000,)", data=300_000))):
        with pytest.raises(ItemError):
            npy.load(file, len(file.getvalue()), name="a.npy")
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
def test_what_is_refused_has_a_code_and_a_hint(code: str, data: bytes) -> None:
    assert refused(data).code == code


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "opened"),))

    refused(saved(np.array([Bomb()], object), allow_pickle=True))
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"PK\x03\x04" + bytes(26) + b"arr_0.npy", "np.savez"),
        (b"PK\x03\x04" + bytes(26) + b"model/data.pkl", "PyTorch"),
        (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.", "PyTorch"),
        (b"\x80\x04\x95abc", "pickle"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "WAV"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b'\x40\x00\x00\x00\x00\x00\x00\x00{"mel":{"dtype"', "safetensors"),
        (b"0.1, 0.2, 0.3\n", "text: '0.1, 0.2, 0.3"),
        (bytes(100), "zero bytes"),
        (b"\xde\xad\xbe\xef", "nothing that is known"),
    ],
)
def test_it_says_what_the_file_is_instead(head: bytes, word: str) -> None:
    assert word in refused(head).message


def test_hints_fit_the_case() -> None:
    assert "float32" in refused(saved(np.zeros(3, "V2"))).hint
    assert "bfloat16" in refused(saved(np.zeros(3, "V2"))).message
    assert "float64" in refused(saved(np.zeros(3, np.longdouble))).hint
    assert "bool" in refused(saved(np.zeros(3, bool))).message
    assert "pickle" in refused(saved(np.array([None]), allow_pickle=True)).message
    assert "7 bytes" in refused(claim(data=31)).message


def test_a_name_cannot_break_the_line() -> None:
    with pytest.raises(ItemError) as caught:
        npy.load(io.BytesIO(b""), 0, name="a\n\x1b[2J\udcff" + "x" * 5000)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


def test_a_large_file_is_mapped_read_only_and_cannot_be_swapped(tmp_path: Path) -> None:
    path, other = tmp_path / "a.npy", tmp_path / "b.npy"
    array = np.asfortranarray(np.arange(60, dtype=">f4").reshape(5, 12))
    np.save(path, array)
    np.save(other, array * 0)
    with path.open("rb") as file:
        other.replace(path)
        got = npy.load(file, os.fstat(file.fileno()).st_size, name="a.npy", map_from=240)
    assert isinstance(got, np.memmap)
    assert not got.flags.writeable
    assert got.dtype == array.dtype
    assert got.flags.f_contiguous
    np.testing.assert_array_equal(got, array)


def test_a_small_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(60))
    for buffering in (0, -1):
        with path.open("rb", buffering) as file:
            got = npy.load(file, path.stat().st_size, name="a.npy", map_from=481)
        assert not isinstance(got, np.memmap)
        np.testing.assert_array_equal(got, np.arange(60))


def test_a_file_in_memory_is_seen_and_not_copied() -> None:
    data = saved(np.arange(6, dtype=np.float32))
    seen = npy.from_memory(data, name="a.npy")
    assert not seen.flags.writeable
    assert seen.ctypes.data == np.frombuffer(data, np.uint8).ctypes.data + 128


def test_a_header_that_is_known_says_nothing_of_another_size() -> None:
    data = saved(np.arange(6, dtype=np.float32))
    npy.from_memory(data, name="a.npy")
    with pytest.raises(ItemError) as caught:
        npy.from_memory(data[:-1], name="a.npy")
    assert caught.value.code == "npy-truncated"


def test_values_that_are_not_aligned_are_copied() -> None:
    data = raw("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", np.arange(3.0).tobytes())
    assert (len(data) - 24) % 8
    seen = npy.from_memory(data, name="a.npy")
    np.testing.assert_array_equal(seen, [0, 1, 2])
    assert seen.flags.aligned


@pytest.mark.parametrize("map_from", [1, 1 << 20])
def test_a_file_that_shrinks_is_refused(tmp_path: Path, map_from: int) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6000.0))
    size = path.stat().st_size
    os.truncate(path, 5000)
    with path.open("rb") as file, pytest.raises(ItemError) as caught:
        npy.load(file, size, name="a.npy", map_from=map_from)
    assert caught.value.code == "npy-truncated"


def test_a_sparse_file_with_an_honest_terabyte_is_mapped_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    head = raw("{'descr': '<f4', 'fortran_order': False, 'shape': (250000000000,), }")
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 10**12)
    with path.open("rb") as file:
        assert npy.load(file, path.stat().st_size, name="a.npy").shape == (250_000_000_000,)


def test_an_array_can_start_within_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = saved(np.arange(50.0))
    path.write_bytes(b"before!" + data + b"after")
    with path.open("rb") as file:
        for map_from in (1, 1 << 20):
            got = npy.load(file, len(data), name="a", start=7, map_from=map_from)
            np.testing.assert_array_equal(got, np.arange(50.0))


class Dripping(io.RawIOBase):
    """Gives a few bytes at a time and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self.file.readinto(memoryview(buffer)[:7])


class ReadOnly:
    """Has read and nothing else."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize("kind", [Dripping, ReadOnly, io.BytesIO])
def test_streams(kind: Any) -> None:
    array = np.arange(500, dtype=">c8").reshape(20, 25)
    data = saved(array)
    got = npy.read_stream(kind(data), name="a", limit=len(data))
    np.testing.assert_array_equal(got, array)
    for bad, limit, code in [
        (data, len(data) - 1, "npy-too-large"),
        (data[:-1], len(data), "npy-truncated"),
        (data[:30], len(data), "npy-truncated"),
        (data + b"x", len(data) + 1, "npy-trailing"),
        (claim(shape="(1000000000000,)"), 1 << 30, "npy-too-large"),
    ]:
        with pytest.raises(ItemError) as caught:
            npy.read_stream(kind(bad), name="a", limit=limit)
        assert caught.value.code == code


def test_memory_that_is_not_there_is_an_item_error() -> None:
    with pytest.raises(ItemError) as caught:
        npy.read_stream(io.BytesIO(claim(shape=f"({2**60},)")), name="a", limit=1 << 63)
    assert caught.value.code == "npy-memory"


# Fuzzing: whatever the bytes are, an array that numpy.load agrees with, or an ItemError; nothing else.

WORDS = [
    *(b"'descr'", b"'fortran_order'", b"'shape'", b"True", b"False", b"None", b"(", b")", b"[", b"]", b"{", b"}", b","),
    *(b"'<f4'", b"'>i2'", b"'|O'", b"'|V2'", b"'<U3'", b"'<f0'", b"-1", b"0", b"1", b"6", b"2L", b"1e9", b"1_0", b":"),
    *(
        b"9" * 25,
        b"9" * 5000,
        b"\x00",
        b"\xff",
        b"\n",
        b" ",
        b"'",
        b'"',
        b"\\",
        b"#",
        b"lambda:0",
        b"()",
        b"(6,)",
        b"j",
    ),
]


def mutated(data: bytes, random: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(out) + 1)
        to = min(len(out), at + random.choice((0, 1, 1, 2, 5, 20)))
        what = random.randrange(5)
        if what == 0:
            out[at:to] = random.randbytes(to - at)
        elif what == 1:
            out[at:to] = random.choice(WORDS)
        elif what == 2:
            del out[at:to]
        elif what == 3:
            out[at:at] = out[at:to] * random.choice((1, 2, 30))
        else:
            del out[random.randrange(len(out) + 1) :]
        if not out:
            break
    return bytes(out)


def check_words(error: ItemError) -> None:
    assert error.code
    assert error.hint
    assert (error.message + error.hint).isprintable()


def judge(data: bytes) -> bool:
    """Return whether the bytes are taken; then NumPy must read the same from them, and so must we from memory."""
    try:
        got = load(data)
    except ItemError as error:
        check_words(error)
        with pytest.raises(ItemError, match=f"^{re.escape(str(error))}$"):
            npy.from_memory(data, name="a.npy")
        return False
    for _ in range(2):  # by then its header is known
        seen = npy.from_memory(data, name="a.npy")
        assert (seen.dtype, seen.shape, seen.strides, seen.tobytes()) == (
            got.dtype,
            got.shape,
            got.strides,
            got.tobytes(),
        )
        assert seen.flags.aligned
    want = np.load(io.BytesIO(data), allow_pickle=False, max_header_size=1 << 20)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()
    return True


def fuzz(executions: int, seed: int = 0) -> tuple[int, int]:
    """Judge mutated files; return how many were taken and refused. Run it with 10^6 after a change of the grammar."""
    generator = random.Random(seed)
    seeds = [
        *(saved(np.zeros((2, 3), kind)) for kind in ("<f4", ">i2", "<c16", "u1")),
        *(claim(), claim(order="True"), claim(shape="(6,)"), claim(shape="(1, 1, 2L, 3)")),
        *(raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(24), (v, 0)) for v in (2, 3)),
        saved(np.array([None, 1]), allow_pickle=True),
    ]
    taken = sum(judge(mutated(generator.choice(seeds), generator)) for _ in range(executions))
    return taken, executions - taken


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_fuzz() -> None:
    taken, refusals = fuzz(3_000)
    assert taken > 100  # the mutations reach beyond the first check
    assert refusals > 1_000


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_fuzz_long(repetitions: Callable[[int], int], chance: random.Random) -> None:
    count = repetitions(100_000)
    assert sum(fuzz(count, seed=chance.getrandbits(32))) == count


@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    judge(data)
    judge(npy_header.MAGIC + data)
    judge(npy_header.MAGIC + b"\x01\x00" + data)
    judge(raw(data[:200], data[200:]))


PLAIN = st.sampled_from([None, True, 0, 1, -1, 3, 2**63, 10**30, 1.5, "", "<f4", ">i2", "|O", "é", "'", b"x", 2j])
LITERALS = PLAIN | st.lists(PLAIN, max_size=4) | st.lists(PLAIN, max_size=4).map(tuple) | st.tuples(st.tuples(PLAIN))


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
@given(
    st.dictionaries(st.sampled_from(["descr", "fortran_order", "shape", "x"]), LITERALS, max_size=4)
    | st.fixed_dictionaries({"descr": LITERALS, "fortran_order": st.booleans(), "shape": LITERALS}),
    st.binary(max_size=40),
)
def test_random_literals(header: dict[str, object], data: bytes) -> None:
    judge(raw(repr(header).encode("utf-8", "surrogatepass"), data))
