"""Sources that are compressed as a whole: their decoders get what is inside, within memory and time."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import numcodecs
import pytest

from tonearm.errors import ItemError
from tonearm.reading.compressed_sources import COMPRESSED_SUFFIXES, inflated_source, name_within
from tonearm.reading.memory import limited_memory
from tonearm.source import Source

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: bytes(numcodecs.Zstd().encode(data)),
}


def source(path: Path) -> Source:
    return Source(name=path.name, path=path, key="k", relative_dir="sub")


@pytest.mark.parametrize("suffix", COMPRESSED_SUFFIXES)
def test_a_compressed_file_is_inflated(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.npy{suffix.upper()}"
    path.write_bytes(COMPRESS[suffix](b"content"))
    found = inflated_source(source(path), (".npy",))
    with found.open() as file:
        assert file.read() == b"content"
    assert (found.name, found.key, found.relative_dir) == (path.name, "k", "sub")
    assert name_within(path.name) == "a.npy"


def test_others_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"content"))
    given = source(path)
    assert inflated_source(given, (".tar", ".tar.gz")) is given  # the decoder inflates it itself
    for plain in (source(tmp_path / "a.npy"), Source(name="a.npy.gz")):
        assert inflated_source(plain, (".npy",)) is plain


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x93NUMPY\1\0", "wrong-format"),
        (b"", "empty"),
        (gzip.compress(b"content")[:-6], "broken-file"),
        (gzip.compress(bytes(10 << 20), 1) * 30, "too-large"),
    ],
    ids=["plain", "empty", "cut", "bomb"],
)
def test_what_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy.gz"
    path.write_bytes(content)
    with pytest.raises(ItemError) as caught, limited_memory(100_000_000):
        inflated_source(source(path), (".npy",))
    assert caught.value.code == code


def test_zstd_is_inflated_within_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npy.zst"
    path.write_bytes(COMPRESS[".zst"](bytes(300 << 20)))
    with pytest.raises(ItemError) as caught, limited_memory(100_000_000):
        inflated_source(source(path), (".npy",))
    assert caught.value.code in ("too-large", "broken-file")
    path.write_bytes(COMPRESS[".zst"](b"content")[:-3])
    with pytest.raises(ItemError) as caught:
        inflated_source(source(path), (".npy",))
    assert caught.value.code == "broken-file"


def test_zstd_without_a_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npy.zst"
    path.write_bytes(COMPRESS[".zst"](b"content"))
    for name in ("pyarrow", "compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with inflated_source(source(path), (".npy",)).open() as file:
        assert file.read() == b"content"
    monkeypatch.setitem(sys.modules, "numcodecs", None)
    with pytest.raises(ItemError, match="needs numcodecs, zstandard or pyarrow") as caught:
        inflated_source(source(path), (".npy",))
    assert caught.value.code == "missing-requirement"
