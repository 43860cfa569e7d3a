"""Arrays of .npz archives: NumPy's come back, each false directory is an ItemError, nothing is extracted to disk."""

from __future__ import annotations

import errno
import io
import os
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import npy_files
import numpy as np
import pytest

from tonearm.api import WRITE_AGAIN, InflationBound, ItemError, ZipBounds, file_types
from tonearm_plugins.formats import npz


def saved(*arrays: Any, compressed: bool = False, **named: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, *arrays, **named)
    return file.getvalue()


def zipped(*items: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names
        for name, data in items:
            archive.writestr(name, data)
    return file.getvalue()


def patched(data: bytes, *, local: dict[int, bytes] | None = None, **fields: Any) -> bytes:
    """Change the first directory entry: size, packed, method, flags, crc, …; ``local`` patches bytes."""
    places = {"flags": (8, "<H"), "method": (10, "<H"), "crc": (16, "<I"), "packed": (20, "<I"), "size": (24, "<I")}
    places |= {"offset": (42, "<I"), "version": (6, "<H")}
    out = bytearray(data)
    at = data.index(b"PK\x01\x02")
    for field, value in fields.items():
        struct.pack_into(places[field][1], out, at + places[field][0], value)
    for place, change in (local or {}).items():
        out[place : place + len(change)] = change
    return bytes(out)


def keys(data: bytes) -> list[str]:
    return npz.array_names(io.BytesIO(data), len(data), "a.npz")


def load(data: bytes, member: str, **options: Any) -> Any:
    return npz.load_array(io.BytesIO(data), len(data), member, "a.npz", **options)


def refused(data: bytes, member: str | None = None) -> ItemError:
    with pytest.raises(ItemError) as caught:
        keys(data) if member is None else load(data, member)
    error = caught.value
    assert error.hint
    assert (error.message + error.hint).isprintable()
    assert error.message.startswith("'a.npz")
    return error


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("map_from", [1, 1 << 30])
def test_arrays_come_back_in_the_order_of_the_directory(compressed: bool, map_from: int, tmp_path: Path) -> None:
    arrays = {
        "wav": np.arange(5000, dtype=">f4"),
        "b": np.asfortranarray(np.arange(600, dtype="c16").reshape(20, 30)),
        "a/x.y": np.arange(3, dtype="u1"),
    }
    path = tmp_path / "a.npz"
    path.write_bytes(saved(compressed=compressed, **arrays))
    with path.open("rb") as file:
        size = path.stat().st_size
        assert npz.array_names(file, size, "a.npz") == list(arrays)
        got = {key: npz.load_array(file, size, key, "a.npz", map_from=map_from) for key in reversed(arrays)}
    for key, array in arrays.items():
        np.testing.assert_array_equal(got[key], array)
        assert got[key].dtype == array.dtype
        assert got[key].flags.f_contiguous == array.flags.f_contiguous
        assert isinstance(got[key], np.memmap) == (map_from == 1 and not compressed)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_array_is_left_out() -> None:
    data = zipped(("readme.txt", b"hello"), ("a.npy", npy_files.saved(np.ones(3))), ("dir/", b""), ("b", b""))
    assert keys(data) == ["a"]
    assert refused(data, "readme.txt").code == "npz-no-member"
    assert "'a'" in refused(data, "readme.txt").hint


def test_a_compressed_array_of_zeros_is_read() -> None:
    data = saved(np.zeros(50_000_000, np.float32), compressed=True)
    assert len(data) < 250_000  # 1029 times
    assert load(data, "arr_0").shape == (50_000_000,)


ONE = npy_files.saved(np.arange(100.0))
STORED = zipped(("a.npy", ONE), ("b.npy", ONE))
DEFLATED = zipped(("a.npy", ONE), ("b.npy", ONE), method=zipfile.ZIP_DEFLATED)
TEXT = zipped(("t", b"x"), ("a.npy", ONE))
END = STORED.index(b"PK\x05\x06")


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("not-npz", b"hello there"),
        ("not-npz", ONE),
        ("not-npz", b"\x80\x04\x95" + bytes(60)),
        ("not-npz", b"x" + STORED),
        ("npz-truncated", b""),
        ("npz-truncated", b"PK"),
        ("npz-truncated", STORED[:-30]),
        ("npz-truncated", STORED[:500]),
        ("npz-no-arrays", zipped()),
        ("npz-no-arrays", zipped(("a.txt", b"x"))),
        ("npz-no-arrays", zipped(("model/data.pkl", b"x"))),
        ("npz-too-many", zipped(*((f"{i}.npy", b"") for i in range(257)))),
        ("npz-too-many", zipped(*((f"{i:0600}.npy", b"") for i in range(2000)))),
        ("npz-duplicate", zipped(("a.npy", ONE), ("a.npy", ONE))),
        ("npz-duplicate", zipped(("a.npy", ONE), ("b.npy", ONE)).replace(b"b.npy", b"a.npy")),
        ("npz-duplicate", zipped(("a.npy", ONE), ("a.npy.x", ONE)).replace(b"a.npy.x", b"a.npy\x00x")),
        ("npz-overlap", patched(STORED, size=len(ONE) + 60, packed=len(ONE) + 60)),
        ("npz-overlap", patched(STORED, offset=len(ONE) + 35)),
        ("npz-overlap", patched(STORED, offset=END)),
        ("npz-overlap", patched(STORED, offset=0x7FFFFFFF)),
        ("npz-encrypted", patched(STORED, flags=1)),
        ("npz-encrypted", patched(STORED, flags=0x41)),
        ("npz-compression", zipped(("a.npy", ONE), method=zipfile.ZIP_LZMA)),
        ("npz-compression", zipped(("a.npy", ONE), method=zipfile.ZIP_BZIP2)),
        ("npz-compression", patched(STORED, method=93)),
        ("npz-broken", patched(STORED, size=len(ONE) + 1)),
        ("npz-bomb", patched(DEFLATED, size=0xFFFFFF00)),
        ("npz-bomb", patched(DEFLATED, size=1 << 20)),
        ("npz-overlap", STORED[: END + 16] + b"\xff\xff\x00\x00\x00\x00"),
        ("npz-broken", STORED[: END + 12] + b"\x01" + STORED[END + 13 :]),
        ("npz-broken", patched(STORED, version=0xFF)),
        ("npz-broken", patched(STORED, flags=0x800).replace(b"a.npy", b"\xff.npy")),
    ],
)
def test_what_the_directory_gives_away(code: str, data: bytes) -> None:
    assert refused(data).code == code
    assert refused(data, "a").code == code


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("npz-broken", patched(STORED, crc=1)),
        ("npz-broken", patched(DEFLATED, crc=1)),
        ("npz-broken", STORED[:300] + b"\xff" + STORED[301:]),
        ("npz-broken", patched(TEXT, local={TEXT.index(b"PK\x03\x04", 1): b"PK\x07\x08"})),
        ("npz-broken", patched(STORED, local={30: b"x"})),
        ("npz-broken", patched(DEFLATED, local={36: bytes(20)})),
        ("npz-broken", patched(STORED, flags=0x20)),
        ("npz-overlap", patched(STORED, local={28: b"\xff\x00"})),
        ("not-npy", zipped(("a.npy", b"hello"))),
        ("npy-truncated", zipped(("a.npy", b""))),
        ("npy-too-large", zipped(("a.npy", ONE[:-1]))),
        ("npy-trailing", zipped(("a.npy", ONE + b"x"), method=zipfile.ZIP_DEFLATED)),
        ("npy-pickle", zipped(("a.npy", npy_files.saved(np.array([None]))))),
        ("npy-header", zipped(("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(10**7)), method=8)),
    ],
)
def test_what_only_the_member_gives_away(code: str, data: bytes) -> None:
    assert keys(data)
    assert refused(data, "a").code == code


def test_the_bounds_are_those_that_are_documented() -> None:
    assert npz.MAX_ARRAYS == 256
    inflation = InflationBound(1_073_741_824, 100)
    assert ZipBounds(members=256, directory=1_048_576, inflated=17_179_869_184, inflation=inflation) == npz.BOUNDS


@pytest.mark.parametrize(("size", "mapped"), [(len(ONE), True), (len(ONE) + 1, False)])
def test_members_are_mapped_from_a_size_on(size: int, mapped: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(STORED)
    with path.open("rb") as file:
        file.seek(9)
        got = npz.load_array(file, len(STORED), "b", "a.npz", map_from=size)
    assert isinstance(got, np.memmap) == mapped
    np.testing.assert_array_equal(got, np.arange(100.0))


def test_single_numbers_are_read() -> None:
    assert load(saved(np.float32(3)), "arr_0").tolist() == 3


SAVEZ = "save the arrays with np.savez, or each alone with np.save"
PYTORCH_START = zipped(("model/data.pkl", b"x"))


@pytest.mark.parametrize(
    ("data", "code", "message", "hint"),
    [
        *((b"PK\x03"[:count], "npz-truncated", f" is cut off after {count} bytes", WRITE_AGAIN) for count in range(4)),
        (
            b"PK\x04",
            "not-npz",
            " is not a .npz file; it looks like no known format",
            file_types.identify(b"PK\x04").hint,
        ),
        (ONE, "not-npz", " is not a .npz file; it looks like a single array", "name it .npy"),
        (
            b"RIFF" + bytes(60),
            "not-npz",
            " is not a .npz file; it looks like a WAV file",
            "it is audio already: read it by audio-reader",
        ),
        (zipped(), "npz-no-arrays", " is empty", SAVEZ),
        (
            zipped(("a.txt", b"x")),
            "npz-no-arrays",
            " holds no .npy members; it holds 'a.txt'",
            "extract its files first: unzip",
        ),
        (
            PYTORCH_START,
            "npz-no-arrays",
            " holds no .npy members; it looks like a PyTorch file",
            file_types.PYTORCH.hint,
        ),
        (PYTORCH_START[: PYTORCH_START.index(b"PK\x01")] + zipped(), "npz-no-arrays", " is empty", SAVEZ),
    ],
)
def test_files_without_arrays_are_described(data: bytes, code: str, message: str, hint: str) -> None:
    error = refused(data)
    assert (error.code, error.message, error.hint) == (code, f"'a.npz'{message}", hint)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (zipped(("a.npy", ONE), ("a.npy", ONE)), f"one of them is lost; {SAVEZ}"),
        (patched(STORED, flags=1), f"decrypt it first, or {SAVEZ}"),
        (patched(STORED, method=93), "save it with np.savez_compressed"),
        (patched(DEFLATED, size=1 << 20), "if this is intended, save it with np.savez"),
        (
            zipped(*((f"{i}.npy", b"") for i in range(257))),
            "at most 256 arrays are read from one file; save each with np.save",
        ),
        (patched(STORED, version=0xFF), WRITE_AGAIN),
    ],
)
def test_the_advice_fits_the_fault(data: bytes, hint: str) -> None:
    assert refused(data).hint == hint


def test_a_missing_array_is_named_beside_those_that_exist() -> None:
    error = refused(STORED, "c")
    assert (error.code, error.message, error.hint) == (
        "npz-no-member",
        "'a.npz' has no array 'c'",
        "it has 'a', 'b'",
    )
    assert refused(zipped(("a.npy", ONE[:-1])), "a").message.startswith("'a.npz:a' claims ")


def test_a_header_that_inflates_to_gigabytes_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    real = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: read.append(n) or real(self, n))
    data = zipped(("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(10**8)), method=zipfile.ZIP_DEFLATED)
    assert refused(data, "a").code == "npy-header"
    assert 0 < sum(read) <= 70_000
    assert min(read) >= 0


def test_a_damaged_large_member_is_refused_before_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(STORED[:300] + b"\xff" + STORED[301:])
    with path.open("rb") as file, pytest.raises(ItemError) as caught:
        npz.load_array(file, path.stat().st_size, "a", "a.npz", map_from=1)
    assert caught.value.code == "npz-broken"


@pytest.mark.parametrize(
    "error",
    [
        *(
            zipfile.BadZipFile("x"),
            NotImplementedError("x"),
            RuntimeError("x"),
            zlib.error("x"),
            EOFError(),
            KeyError("x"),
        ),
        *(struct.error("x\ny"), ValueError("x"), OverflowError("x"), IndexError("x"), OSError(errno.EINVAL, "x")),
        MemoryError(),
    ],
)
def test_nothing_else_comes_out_of_a_broken_archive(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, count: int = -1) -> bytes:
        raise error

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    assert refused(STORED, "a").code == ("npy-memory" if isinstance(error, MemoryError) else "npz-broken")


def test_a_failing_disk_is_not_the_files_fault() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match="Input/output"):
        npz.array_names(Failing(STORED), len(STORED), "a.npz")


def test_names_are_kept_but_told_apart() -> None:
    names = ["/abs", "../x", "a/../../x", "C:x", "a\\b", "", ".", "a//b", "a\n", "fine", "a/b", "…é", "..a"]
    data = zipped(*((f"{name}.npy", ONE) for name in names))
    got = keys(data)
    assert got == names
    assert [name for name in got if npz.is_safe_key(name)] == ["fine", "a/b", "…é", "..a"]
    for name in names:
        np.testing.assert_array_equal(load(data, name), np.arange(100.0))


def fuzz(executions: int, seed: int = 0) -> tuple[int, int]:
    """Read mutated archives; return how many were taken and refused. Nothing but ItemErrors may come out."""
    generator = random.Random(seed)
    seeds = [STORED, DEFLATED, saved(np.zeros(300, np.float32), np.arange(5), compressed=True)]
    taken = 0
    for _ in range(executions):
        out = bytearray(generator.choice(seeds))
        for _ in range(generator.choice((1, 1, 2, 5))):
            area = generator.choice(
                (0, out.find(b"PK\x01\x02"), out.rfind(b"PK\x05\x06"), generator.randrange(len(out)))
            )
            at = min(max(area, 0) + generator.randrange(60), len(out) - 1)
            what = generator.randrange(4)
            if what == 0:
                out[at] = generator.choice((0, 1, 127, 128, 255, generator.randrange(256)))
            elif what == 1:
                out[at : at + 4] = generator.randbytes(4)
            elif what == 2:
                del out[at : at + generator.choice((1, 4, 1000))]
            else:
                out[at:at] = generator.randbytes(generator.choice((1, 8)))
            out = out or bytearray(b"P")
        try:
            for key in keys(bytes(out)):
                load(bytes(out), key)
            taken += 1
        except ItemError as error:
            line = error.message + error.hint
            if not (error.code and error.hint and line.isprintable()):
                raise
    return taken, executions - taken


def test_mutated_archives_are_read_or_refused() -> None:
    taken, refusals = fuzz(2_000)
    assert taken > 100
    assert refusals > 500


def test_mutated_archives_are_read_or_refused_long(repetitions: Callable[[int], int], chance: random.Random) -> None:
    count = repetitions(50_000)
    assert sum(fuzz(count, seed=chance.getrandbits(32))) == count
