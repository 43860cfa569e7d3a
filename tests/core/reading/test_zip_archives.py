"""Zip archives: members come back, each false directory is an ItemError naming the file, and bombs are not inflated."""

from __future__ import annotations

import errno
import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.reading.bounded_file import map_array
from tonearm.reading.bounds import InflationBound
from tonearm.reading.memory import limited_memory
from tonearm.reading.zip_archives import ZipArchive, ZipBounds, ZipFault, zip_error

VALUES = np.arange(600, dtype="<f4")
BYTES = VALUES.tobytes()


def zipped(*items: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in items:
            archive.writestr(name, data)
    return file.getvalue()


def with_entry(data: bytes, at: int, form: str, value: int) -> bytes:
    """Change a field of the first entry in the directory."""
    out = bytearray(data)
    struct.pack_into(form, out, data.index(b"PK\x01\x02") + at, value)
    return bytes(out)


def refused(make: Any, data: bytes, **given: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        make(io.BytesIO(data), "a.zip", **given)
    error = caught.value
    assert error.message.startswith("'a.zip'")
    assert error.hint
    assert (error.message + error.hint).isprintable()
    return error


STORED = zipped(("a", BYTES), ("b", BYTES[:40]))
DEFLATED = zipped(("a", BYTES), ("b", BYTES[:40]), method=zipfile.ZIP_DEFLATED)


class TestZip:
    @pytest.mark.parametrize("data", [STORED, DEFLATED], ids=["stored", "deflated"])
    def test_members_come_back_without_folders(self, data: bytes) -> None:
        archive = ZipArchive(io.BytesIO(data), "a.zip")
        assert list(archive.members) == ["a", "b"]
        assert archive.read("a") == BYTES
        with archive.open("b") as stream:
            assert stream.read(8) == BYTES[:8]
        with pytest.raises(KeyError):
            archive.read("c")
        assert list(ZipArchive(io.BytesIO(zipped(("dir/", b""), ("dir/x", b"1"))), "a.zip").members) == ["dir/x"]

    def test_a_member_that_is_read_whole_is_judged_by_memory(self) -> None:
        archive = ZipArchive(io.BytesIO(DEFLATED), "a.zip")
        with limited_memory(2 * len(BYTES)):
            assert archive.read("a") == BYTES
        with limited_memory(2 * len(BYTES) - 1), pytest.raises(ItemError) as caught:
            archive.read("a")
        assert caught.value.code == "too-large"

    def test_the_entries_of_a_directory_are_judged_by_memory_before_they_are_made(self) -> None:
        data = zipped(*((f"{number:05}", b"") for number in range(3000)))
        with limited_memory(10_000_000):
            assert len(ZipArchive(io.BytesIO(data), "a.zip").members) == 3000
        with limited_memory(1_000_000):
            assert refused(ZipArchive, data).code == "too-large"
        tracemalloc.start()
        try:
            archive = ZipArchive(io.BytesIO(data), "a.zip")
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        directory = 3000 * (46 + 5)
        assert archive.members
        assert taken < 2 * 14 * directory

    def test_an_empty_name_is_a_name(self) -> None:
        data = zipped(("x", b"1234")).replace(b"\0\0x", b"\0\0\0")  # what no writer allows
        data = data.replace(b"x1234", b"\x001234")
        assert list(ZipArchive(io.BytesIO(data), "a.zip").members) == [""]

    def test_a_stored_member_can_be_mapped_and_a_deflated_one_cannot(self, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(STORED)
        with (tmp_path / "a.zip").open("rb") as file:
            start = ZipArchive(file, "a.zip").start("a")
            assert start is not None
            mapped = map_array(file, "<f4", VALUES.shape, start)
            np.testing.assert_array_equal(mapped, VALUES)
        assert ZipArchive(io.BytesIO(DEFLATED), "a.zip").start("a") is None

    @pytest.mark.parametrize(
        ("code", "data"),
        [
            ("empty", b""),
            ("wrong-format", b"RIFF and more"),
            ("broken-file", STORED[:-30]),
            ("broken-file", with_entry(STORED, 8, "<H", 1)),  # encrypted
            ("broken-file", zipped(("a", BYTES), method=zipfile.ZIP_BZIP2)),
            ("broken-file", with_entry(STORED, 24, "<I", len(BYTES) + 1)),  # two sizes
            ("broken-file", with_entry(STORED, 42, "<I", len(BYTES) + 35)),  # overlaps the directory
            ("broken-file", zipped(("a", BYTES), ("b", BYTES)).replace(b"b", b"a")),  # twice the same name
            ("too-large", with_entry(DEFLATED, 24, "<I", 1 << 30)),  # more than deflate can do
        ],
    )
    def test_a_false_directory_is_refused(self, code: str, data: bytes) -> None:
        assert refused(ZipArchive, data).code == code

    @pytest.mark.parametrize(
        ("bounds", "fits"),
        [
            (ZipBounds(members=2), True),
            (ZipBounds(members=1), False),
            (ZipBounds(directory=200), True),
            (ZipBounds(directory=60), False),
            (ZipBounds(inflated=2400), True),
            (ZipBounds(inflated=2399), False),
            (ZipBounds(inflation=InflationBound(2440, 1)), True),
            (ZipBounds(inflation=InflationBound(2439, 1)), False),
        ],
    )
    def test_bounds_are_exact(self, bounds: ZipBounds, fits: bool) -> None:
        if fits:
            assert len(ZipArchive(io.BytesIO(DEFLATED), "a.zip", bounds=bounds).members) == 2
        else:
            assert refused(ZipArchive, DEFLATED, bounds=bounds).code == "too-large"

    def test_a_damaged_member_is_refused_before_it_is_mapped_or_when_it_is_read(self) -> None:
        archive = ZipArchive(io.BytesIO(STORED[:300] + b"\xff" + STORED[301:]), "a.zip")
        for read in (archive.start, archive.read):
            with pytest.raises(ItemError, match=r"'a.zip'.* damaged"):
                read("a")
        assert archive.read("b") == BYTES[:40]

    def test_a_local_header_that_leads_into_another_member_is_refused(self) -> None:
        data = bytearray(STORED)
        struct.pack_into("<H", data, 28, 200)  # length of the extra field before the data of a
        with pytest.raises(ItemError, match="overlaps"):
            ZipArchive(io.BytesIO(bytes(data)), "a.zip").read("a")

    @pytest.mark.parametrize(
        ("error", "code"), [(EOFError(), "broken-file"), (MemoryError(), "no-memory"), (KeyError("x"), "broken-file")]
    )
    def test_errors_within_a_member_become_those_of_the_file(self, error: Exception, code: str) -> None:
        with pytest.raises(ItemError, match=r"'a.zip'") as caught, ZipArchive(io.BytesIO(STORED), "a.zip").open("a"):
            raise error
        assert caught.value.code == code

    def test_a_failing_disk_is_not_the_files_fault(self) -> None:
        class Failing(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        with pytest.raises(OSError, match="Input/output"):
            ZipArchive(Failing(STORED), "a.zip")

    def test_a_format_can_have_codes_of_its_own(self) -> None:
        error = refused(
            ZipArchive, STORED[:-30], error=lambda fault, text: ItemError(text, code=f"my-{fault}", hint="x")
        )
        assert error.code == "my-truncated"

    @pytest.mark.parametrize("fault", get_args(ZipFault))
    def test_every_fault_has_a_code_and_a_hint(self, fault: ZipFault) -> None:
        error = zip_error(fault, "'a.zip' is faulty")
        assert error.code in ("broken-file", "too-large", "no-memory")
        assert error.hint
