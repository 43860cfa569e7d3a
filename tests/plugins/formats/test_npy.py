"""Arrays of .npy files: NumPy's come back as they were saved, and for all others there is an ItemError."""

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
from npy_files import claim, raw, saved

from tonearm.api import WRITE_AGAIN, ItemError, limited_memory
from tonearm_plugins.formats import npy, npy_header

NUMBERS = ["f2", "f4", "f8", "c8", "c16", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def load(data: bytes, **options: Any) -> Any:
    return npy.load(io.BytesIO(data), len(data), name="a.npy", **options)


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


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "opened"),))

    with pytest.raises(ItemError):
        load(saved(np.array([Bomb()], object), allow_pickle=True))
    assert not (tmp_path / "opened").exists()


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
    seen = npy.load_bytes(data, name="a.npy")
    assert not seen.flags.writeable
    assert seen.ctypes.data == np.frombuffer(data, np.uint8).ctypes.data + 128


def test_a_header_that_is_known_says_nothing_of_another_size() -> None:
    data = saved(np.arange(6, dtype=np.float32))
    npy.load_bytes(data, name="a.npy")
    with pytest.raises(ItemError) as caught:
        npy.load_bytes(data[:-1], name="a.npy")
    assert caught.value.code == "npy-truncated"


def test_values_that_are_not_aligned_are_copied() -> None:
    data = raw("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", np.arange(3.0).tobytes())
    assert (len(data) - 24) % 8
    seen = npy.load_bytes(data, name="a.npy")
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


@pytest.mark.parametrize(
    ("count", "stored", "code"),
    [
        (250 * 10**9, 0, "too-large"),  # a terabyte of nothing
        (80 * 10**6, 1 << 20, "too-large"),
        (80 * 10**6, 2 << 20, None),
        (60 * 10**6, 0, None),
    ],
)
def test_a_file_of_holes_is_mapped_unless_it_is_nothing_else(
    count: int, stored: int, code: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.npy"
    head = raw(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count},), }}")
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * count)
        file.seek(1 << 20)
        file.write(b"\1" * stored)
    with path.open("rb") as file:
        if code is None:
            assert npy.load(file, path.stat().st_size, name="a.npy").shape == (count,)
            return
        with pytest.raises(ItemError, match=r"'a\.npy' claims") as caught:
            npy.load(file, path.stat().st_size, name="a.npy")
        assert caught.value.code == code


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
    got = npy.load_stream(kind(data), name="a", limit=len(data))
    np.testing.assert_array_equal(got, array)
    for bad, limit, code in [
        (data, len(data) - 1, "npy-too-large"),
        (data[:-1], len(data), "npy-truncated"),
        (data[:30], len(data), "npy-truncated"),
        (data + b"x", len(data) + 1, "npy-trailing"),
        (claim(shape="(1000000000000,)"), 1 << 30, "npy-too-large"),
    ]:
        with pytest.raises(ItemError) as caught:
            npy.load_stream(kind(bad), name="a", limit=limit)
        assert caught.value.code == code


def test_memory_that_is_not_there_is_an_item_error() -> None:
    with limited_memory(1 << 63), pytest.raises(ItemError) as caught:
        npy.load_stream(io.BytesIO(claim(shape=f"({2**59},)")), name="a", limit=1 << 63)
    assert caught.value.code == "npy-memory"


@pytest.mark.parametrize(("count", "code"), [(1000, "npy-truncated"), (1001, "too-large")])
def test_memory_is_judged_before_values_are_read(count: int, code: str) -> None:
    with limited_memory(8000), pytest.raises(ItemError) as caught:
        npy.load_stream(io.BytesIO(claim(shape=f"({count},)")), name="a", limit=1 << 63)
    assert caught.value.code == code


def test_single_numbers_are_read_from_streams_on_request() -> None:
    data = saved(np.float32(3))
    assert npy.load_stream(io.BytesIO(data), name="a", limit=len(data), scalars=True).tolist() == 3
    with pytest.raises(ItemError) as caught:
        npy.load_stream(io.BytesIO(data), name="a", limit=len(data))
    assert caught.value.code == "npy-scalar"


def refused(load: Callable[[], Any]) -> tuple[str, str, str]:
    with pytest.raises(ItemError) as caught:
        load()
    return caught.value.code, caught.value.message, caught.value.hint


def test_every_fault_is_described(tmp_path: Path) -> None:
    data = claim(shape="(2000, 3)", data=24_000)
    offset = len(data) - 24_000
    for limit, rest in ((len(data) - 1, "23,999"), (offset + 1, "1"), (offset, "0"), (5, "0")):
        assert refused(lambda limit=limit: npy.load_stream(io.BytesIO(data), name="a", limit=limit)) == (
            "npy-too-large",
            f"'a' claims 24,000 bytes of values (shape (2000, 3), <f4), but at most {rest} can follow",
            WRITE_AGAIN,
        )
    with limited_memory(1 << 63):
        stream = io.BytesIO(claim(shape=f"({2**59},)"))
        assert refused(lambda: npy.load_stream(stream, name="a", limit=1 << 63)) == (
            "npy-memory",
            f"'a' needs {2**61:,} bytes of memory, more than is available",
            "save it uncompressed as .npy, which is mapped instead of read, or split it",
        )
    (tmp_path / "a.npy").write_bytes(data[:-1])
    with (tmp_path / "a.npy").open("rb") as file:
        assert refused(lambda: npy.load(file, len(data), name="a", map_from=1)) == (
            "npy-truncated",
            "'a' became shorter while it was being read",
            "wait until the program that writes it has finished",
        )
        code, message, _ = refused(lambda: npy.load(file, len(data), name="a"))
        assert (code, message.endswith("but 23,999 follow it")) == ("npy-truncated", True)
    code, message, _ = refused(lambda: npy.load_stream(io.BytesIO(data + b"x"), name="a", limit=len(data)))
    assert (code, message) == ("npy-trailing", "'a' continues after its array (shape (2000, 3), <f4): more bytes")


def test_one_byte_is_read_beyond_the_array() -> None:
    data = saved(np.arange(3.0))
    stream = io.BytesIO(data + bytes(9))
    with pytest.raises(ItemError):
        npy.load_stream(stream, name="a", limit=99999)
    assert stream.tell() == len(data) + 1


def test_headers_of_the_usual_size_are_known_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[bytes, npy_header.NpyHeader] = {}
    monkeypatch.setattr(npy, "_checked", known)
    assert npy._USUAL == saved(np.zeros(3)).index(bytes(24)) == 128
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
    for size in (127, 129, 192):
        npy.load_bytes(raw(text + " " * (size - 10 - len(text)), bytes(24)), name="a")
    assert not known
    for count in range(1, 65):
        npy.load_bytes(saved(np.zeros(count)), name="a")
        assert len(known) == count
    npy.load_bytes(saved(np.zeros(64)), name="a")
    assert len(known) == 64
    for count in (65, 66):
        npy.load_bytes(saved(np.zeros(count)), name="a")
    assert [header.shape for header in known.values()] == [(65,), (66,)]
    assert npy.load_bytes(saved(np.ones(66)), name="a").tolist() == [1] * 66


@pytest.mark.parametrize("map_from", [0, 1 << 20])
def test_a_file_that_cannot_be_mapped_is_read(map_from: int) -> None:
    data = saved(np.arange(50.0))
    file = io.BytesIO(b"before!" + data + b"after")
    got = npy.load(file, len(data), name="a", start=7, map_from=map_from)
    assert (type(got), got.tolist()) == (np.ndarray, list(range(50)))


def test_values_are_read_8_mib_at_a_time() -> None:
    asked = []

    class Tracked(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            asked.append(len(buffer))
            return super().readinto(buffer)

    data = claim(descr="'|u1'", shape=f"({(8 << 20) + 5},)", data=(8 << 20) + 5)
    assert not npy.load_stream(Tracked(data), name="a", limit=len(data)).any()
    assert asked == [8 << 20, 5]


def test_a_stream_that_has_nothing_yet_counts_as_ended() -> None:
    class Waiting(io.BytesIO):
        def readinto(self, buffer: Any) -> Any:
            return None

    with pytest.raises(ItemError, match="but 0 follow it"):
        npy.load_stream(Waiting(claim()), name="a", limit=9999)


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
            npy.load_bytes(data, name="a.npy")
        return False
    for _ in range(2):  # by then its header is known
        seen = npy.load_bytes(data, name="a.npy")
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
def test_mutated_files_are_read_as_by_numpy_or_refused() -> None:
    taken, refusals = fuzz(3_000)
    assert taken > 100  # the mutations reach beyond the first check
    assert refusals > 1_000


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_mutated_files_are_read_as_by_numpy_or_refused_long(
    repetitions: Callable[[int], int], chance: random.Random
) -> None:
    count = repetitions(100_000)
    assert sum(fuzz(count, seed=chance.getrandbits(32))) == count


@given(st.binary(max_size=300))
def test_random_bytes_are_read_as_by_numpy_or_refused(data: bytes) -> None:
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
def test_random_literals_are_read_as_by_numpy_or_refused(header: dict[str, object], data: bytes) -> None:
    judge(raw(repr(header).encode("utf-8", "surrogatepass"), data))
