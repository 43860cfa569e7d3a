"""Open files: sizes, paths, memory maps and first bytes."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.reading.bounded_file import (
    SHORT_HEAD,
    BoundedFile,
    check_holes,
    check_magic,
    map_array,
    path_of,
    read_values,
    size_of,
    wrong_format_error,
)
from tonearm.reading.bounds import ARRAY_BYTES
from tonearm.reading.file_windows import FileWindow, Segment
from tonearm.reading.memory import limited_memory


def test_a_size_is_that_of_the_file_from_any_position() -> None:
    file = io.BytesIO(b"12345")
    file.seek(3)
    assert size_of(file) == 5
    assert file.tell() == 0


def test_a_path_leads_to_the_open_file_after_its_name_is_gone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with (tmp_path / "a").open("rb") as file:
        (tmp_path / "a").unlink()
        path = path_of(file)
        assert path is not None
        assert Path(path).read_bytes() == b"content"
    assert path_of(io.BytesIO()) is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_mapped_read_only(order: str, tmp_path: Path) -> None:
    array = np.arange(6, dtype=">i2").reshape(2, 3)
    (tmp_path / "a").write_bytes(b"head" + array.tobytes(order))
    with (tmp_path / "a").open("rb") as file:
        mapped = map_array(file, ">i2", (2, 3), 4, order)
        assert isinstance(mapped, np.memmap)
        assert not mapped.flags.writeable
        assert np.array_equal(mapped, array)
        with pytest.raises(ValueError, match="mmap length is greater than file size"):
            map_array(file, ">i2", (2, 4), 4)


def test_values_that_cannot_be_mapped_are_judged_by_memory() -> None:
    file = io.BytesIO(bytes(800))
    with limited_memory(1600):
        assert read_values(file, "a", "<f8", (100,)).nbytes == 800
    with limited_memory(1599), pytest.raises(ItemError) as caught:
        read_values(file, "a", "<f8", (100,))
    assert caught.value.code == "too-large"


def test_mapped_values_are_not_judged_by_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(800))
    with limited_memory(1), (tmp_path / "a").open("rb") as file:
        assert isinstance(read_values(file, "a", "<f8", (100,), map_from=800), np.memmap)
        with pytest.raises(ItemError):
            read_values(file, "a", "<f8", (100,), map_from=801)


FREE, RATIO = ARRAY_BYTES


@pytest.mark.parametrize(
    ("size", "pieces", "is_fine"),
    [
        (FREE, 0, True),
        (FREE + 1, 0, False),
        (FREE + (1 << 20), 1, False),
        (FREE + (1 << 20), 8, True),
        (1 << 40, 8, False),
    ],
)
def test_a_large_file_is_not_holes_alone(size: int, pieces: int, is_fine: bool, tmp_path: Path) -> None:
    with (tmp_path / "a").open("w+b") as file:
        file.truncate(size)
        for piece in range(pieces):
            file.seek(piece << 24)
            file.write(b"\1" * (size // RATIO // 7) if size < 1 << 30 else b"\1" * 4096)
        file.seek(7)
        window = FileWindow(file, size, [Segment(0, size, 0)])
        for one in (file, window):
            if is_fine:
                check_holes(one, "a", "", size)  # type: ignore[arg-type]
            else:
                with pytest.raises(ItemError) as caught:
                    check_holes(one, "a", "", size)  # type: ignore[arg-type]
                assert caught.value.code == "too-large"
            assert file.tell() == 7


def test_a_file_system_that_knows_no_holes_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lseek(descriptor: int, at: int, how: int) -> int:
        if how in special:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(descriptor, at, how)

    real, special = os.lseek, (os.SEEK_DATA, os.SEEK_HOLE)
    with (tmp_path / "a").open("w+b") as file:
        file.truncate(FREE + 1)
        monkeypatch.setattr(os, "lseek", lseek)
        check_holes(file, "a", "", FREE + 1)
        monkeypatch.delattr(os, "SEEK_DATA")
        check_holes(file, "a", "", FREE + 1)


def test_a_file_in_memory_cannot_be_mapped() -> None:
    assert map_array(io.BytesIO(bytes(8)), "u1", (8,)) is None


@pytest.mark.parametrize(("number", "passes"), [(errno.ENODEV, False), (errno.EIO, True)])
def test_a_file_system_without_maps_is_read_and_a_failing_disk_is_not(
    number: int, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a").write_bytes(bytes(8))
    monkeypatch.setattr(np, "memmap", fails)
    with (tmp_path / "a").open("rb") as file:
        if passes:
            with pytest.raises(OSError, match=os.strerror(number)):
                map_array(file, "u1", (8,))
        else:
            assert map_array(file, "u1", (8,)) is None


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("map_from", [0, 24, 25])
def test_values_are_mapped_if_they_are_many_and_read_otherwise(order: str, map_from: int, tmp_path: Path) -> None:
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    (tmp_path / "a").write_bytes(b"head" + array.tobytes(order) + b"tail")
    with (tmp_path / "a").open("rb") as file:
        got = read_values(file, "a", ">f4", (2, 3), 4, order=order, map_from=map_from)
    assert isinstance(got, np.memmap) == (map_from <= 24)
    assert not got.flags.writeable
    np.testing.assert_array_equal(got, array)
    np.testing.assert_array_equal(read_values(io.BytesIO(array.tobytes(order)), "a", ">f4", (2, 3), order=order), array)


@pytest.mark.parametrize(("shape", "offset"), [((3,), 1), ((1 << 60,), 0), ((1,), 13)])
def test_values_beyond_the_end_are_refused_and_nothing_is_allocated(shape: tuple[int, ...], offset: int) -> None:
    with pytest.raises(ItemError, match=r"'a' claims [\d,]+ bytes of values, but only \d+ follow") as caught:
        read_values(io.BytesIO(bytes(12)), "a", "<f4", shape, offset)
    assert caught.value.code == "broken-file"
    assert read_values(io.BytesIO(bytes(12)), "a", "<f4", (3,)).shape == (3,)


def test_no_values_are_an_empty_array() -> None:
    assert read_values(io.BytesIO(b"x"), "a", "<f4", (0, 3), 1, map_from=0).shape == (0, 3)


def test_a_bounded_file_reads_what_it_has_and_refuses_what_it_claims() -> None:
    inner = io.BytesIO(b"0123456789")
    inner.seek(2)
    file = BoundedFile(inner, "a")
    assert (file.left, file.end, file.tell()) == (8, 10, 2)
    assert file.read_exactly(3) == b"234"
    assert file.read(5 + SHORT_HEAD) == b"56789"  # a head may be short
    file.seek(6)
    assert file.read() == b"6789"
    file.seek(6)
    for read, count in ((file.read, 5 + SHORT_HEAD), (file.read_exactly, 5), (file.read_exactly, -1)):
        with pytest.raises(ItemError, match=r"'a' claims -?\d+ more bytes, but only 4 are left") as caught:
            read(count)
        assert caught.value.code == "broken-file"
    assert file.tell() == 6
    with pytest.raises(ItemError, match="'a' claims more bytes"):
        file.read(1 << 2000)


def test_a_start_is_found_at_its_offset() -> None:
    file = io.BytesIO(bytes(512) + b"\x89HDF and more")
    check_magic(file, "a.mat", "a MATLAB file", (b"no", b"\x89HDF"), 512)
    assert file.tell() == 0
    with pytest.raises(ItemError) as caught:
        check_magic(file, "a.mat", "a MATLAB file", (b"\x89HDF",), 500)
    assert caught.value.message == "'a.mat' is not a MATLAB file; it looks like nothing but zero bytes"


@pytest.mark.parametrize(
    ("content", "reader", "code", "message"),
    [
        (b"", "", "empty", "'a' is empty: it has 0 bytes"),
        (b"RIFFnonsense", "", "wrong-format", "'a' is not an image; it looks like a WAV file"),
        (b"RIFFnonsense", "image-reader", "wrong-format", "'a' is not an image; it looks like a WAV file"),
        (
            b"\x89PNGnonsense",
            "image-reader",
            "broken-file",
            "'a' is damaged: it begins as a PNG image, but does not continue as one",
        ),
    ],
)
def test_a_wrong_file_is_empty_or_of_another_type_or_damaged(
    content: bytes, reader: str, code: str, message: str
) -> None:
    file = io.BytesIO(content)
    file.seek(len(content))
    error = wrong_format_error(file, "a", "an image", reader)
    assert (error.code, error.message) == (code, message)
    assert error.hint
