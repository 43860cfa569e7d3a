"""Tar archives: members come back, and each false archive is an ItemError that names the file."""

from __future__ import annotations

import gzip
import io
import os
import tarfile

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.reading.bounds import InflationBound
from tonearm.reading.tar_archives import TarArchive

BYTES = np.arange(600, dtype="<f4").tobytes()


def tarred(*items: tuple[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in items:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members_that_count_come_back(mode: str) -> None:
    data = tarred(("a.f4", BYTES), ("b.txt", b"text"), mode=mode)
    with TarArchive(io.BytesIO(data), "a.tar", lambda name: name.endswith(".f4")) as archive:
        assert list(archive.members) == ["a.f4"]
        assert archive.open("a.f4").read() == BYTES
        assert archive.start("a.f4") == (512 if mode == "w" else None)
        with pytest.raises(KeyError):
            archive.open("b.txt")


def test_a_link_is_no_member() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as written:
        link = tarfile.TarInfo("a.f4")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        written.addfile(link)
    assert TarArchive(file, "a.tar").members == {}


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("empty", b""),
        ("wrong-format", b"RIFF and more" * 100),
        ("duplicate", tarred(("a", b"1"), ("a", b"2"))),
        ("too-large", tarred(("a", b"1"), ("b", b"2"), ("c", b"2"))),
        ("too-large", gzip.compress(tarred(("a", bytes(1 << 20))))),
        ("broken-file", tarred(("a", os.urandom(2000)), mode="w:gz")[:1000]),
    ],
)
def test_a_false_archive_is_refused(code: str, data: bytes) -> None:
    with pytest.raises(ItemError) as caught:
        TarArchive(io.BytesIO(data), "a.tar", most=2, inflation=InflationBound(1 << 18, 10))
    error = caught.value
    assert error.code == code
    assert error.message.startswith("'a.tar'")
    assert error.hint
    assert (error.message + error.hint).isprintable()


def test_an_archive_of_zstd_is_to_be_decompressed() -> None:
    """A stream of zstd may claim no size, and is inflated at once only, so that its size could not be bounded."""
    zstd = bytes.fromhex("28b52ffd") + bytes(2) + b"tar"
    with pytest.raises(ItemError) as caught:
        TarArchive(io.BytesIO(zstd), "a.tar.zst")
    assert caught.value.code == "wrong-format"
    assert caught.value.message == "'a.tar.zst' is not a tar file; it looks like a Zstandard file"
    assert caught.value.hint == "decompress it first: unzstd"


def test_a_compressed_member_that_memory_cannot_hold_is_refused() -> None:
    archive = TarArchive(io.BytesIO(tarred(("a", BYTES), mode="w:gz")), "a.tar", compressed_member=2399)
    with pytest.raises(ItemError, match=r"'a.tar' has a compressed member of 2,400 bytes"):
        archive.open("a")
