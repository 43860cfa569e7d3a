"""Sources that are compressed as a whole: their decoders get what is inside, within memory and time."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from tonearm.errors import ItemError
from tonearm.reading.compressed_sources import COMPRESSED_SUFFIXES, inflated_source, name_within
from tonearm.reading.memory import limited_memory
from tonearm.source import Source

COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


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
