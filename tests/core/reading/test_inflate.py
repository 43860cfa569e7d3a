"""Tests of bounded inflation: every compression, both sides of each bound."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.reading import inflate as module
from tonearm.reading.bounds import InflationBound
from tonearm.reading.inflate import Compression, InflatedFile, compression_of, inflate

NOISE = np.random.default_rng(0).bytes(3000) + bytes(7000)
COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "deflate": lambda data: zlib.compress(data, wbits=-15),
    "bz2": bz2.compress,
    "lzma": lzma.compress,
    "zstd": lambda data: bytes(numcodecs.Zstd().encode(data)),
    "lz4": lambda data: bytes(numcodecs.LZ4().encode(data)),
    "blosc": lambda data: bytes(numcodecs.Blosc().encode(data)),
}
STREAMS: tuple[Compression, ...] = ("zlib", "gzip", "deflate", "bz2", "lzma")


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("data", [NOISE, b"x", NOISE * 900], ids=["short", "byte", "9 MB"])
def test_data_come_back_and_not_a_byte_beyond_the_bound(compression: Compression, data: bytes) -> None:
    stored = COMPRESS[compression](data)
    assert inflate(stored, compression, len(data), "a") == data
    assert inflate(stored, compression, len(data) + 1, "a") == data
    with pytest.raises(ItemError, match="inflate to more than") as raised:
        inflate(stored, compression, len(data) - 1, "a")
    assert raised.value.code == "broken-file"


@pytest.mark.parametrize("compression", COMPRESS)
def test_damaged_and_cut_data_are_broken(compression: Compression) -> None:
    stored = COMPRESS[compression](NOISE)
    for wrong in (b"", stored[:1], stored[: len(stored) // 2], stored[:-9], b"nonsense" * 9):
        if compression == "zstd" and not wrong:
            continue  # no frames hold no bytes
        with pytest.raises(ItemError) as raised:
            inflate(wrong, compression, len(NOISE), "a")
        assert raised.value.code == "broken-file"


@pytest.mark.parametrize("compression", ["gzip", "bz2", "lzma", "zstd"])
def test_several_streams_are_one(compression: Compression) -> None:
    stored = COMPRESS[compression](NOISE)
    assert compression_of(stored) == compression
    assert inflate(stored * 3, compression, 3 * len(NOISE), "a") == NOISE * 3
    with pytest.raises(ItemError):
        inflate(stored * 3, compression, 3 * len(NOISE) - 1, "a")


def test_plain_data_have_no_compression() -> None:
    assert compression_of(b"RIFF") is None
    assert compression_of(b"") is None


@pytest.mark.parametrize("compression", STREAMS)
def test_inflated_file_seeks(compression: Compression) -> None:
    file = InflatedFile(io.BytesIO(COMPRESS[compression](NOISE)), compression, "a")
    assert file.read(10) == NOISE[:10]
    assert file.seek(5000) == 5000
    assert file.read(5) == NOISE[5000:5005]
    assert file.seek(3) == 3
    assert file.read() == NOISE[3:]
    assert file.read(1) == b""
    assert file.seek(-4, io.SEEK_END) == len(NOISE) - 4
    assert file.seek(10**9) == len(NOISE) == file.tell()
    buffer = bytearray(7)
    file.seek(1)
    assert file.readinto(buffer) == 7
    assert buffer == NOISE[1:8]
    with pytest.raises(ValueError, match="negative"):
        file.seek(-1)


@pytest.mark.parametrize("compression", STREAMS)
def test_ratio_bounds_a_file(compression: Compression) -> None:
    stored = COMPRESS[compression](bytes(1 << 20))
    enough = InflatedFile(io.BytesIO(stored), compression, "a", bound=InflationBound(1 << 20, 0))
    assert len(enough.read()) == 1 << 20
    file = InflatedFile(io.BytesIO(stored), compression, "a", bound=InflationBound((1 << 20) - 1, 0))
    with pytest.raises(ItemError, match="inflates from") as raised:
        file.read()
    assert raised.value.code == "too-large"


def test_time_bounds_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE_SECONDS", -1.0)
    with pytest.raises(ItemError, match="s to inflate") as raised:
        InflatedFile(io.BytesIO(gzip.compress(NOISE)), "gzip", "a").read()
    assert raised.value.code == "too-large"


def test_dictionaries_of_lzma_are_bounded() -> None:
    honest: list[dict[str, Any]] = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    stored = lzma.compress(NOISE, lzma.FORMAT_RAW, filters=honest)
    assert inflate(stored, "lzma", len(NOISE), "a", filters=honest) == NOISE
    with pytest.raises(ItemError, match="dictionary"):
        inflate(stored, "lzma", len(NOISE), "a", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 31}])
    greedy = bytearray(lzma.compress(NOISE, lzma.FORMAT_ALONE))
    greedy[1:5] = (1 << 31).to_bytes(4, "little")
    with pytest.raises(ItemError, match="Memory"):
        inflate(bytes(greedy), "lzma", len(NOISE), "a")


def runs_of_zstd(blocks: int) -> bytes:
    """Return a frame of zstd without a size, of blocks that repeat one byte 131,072 times in 4 bytes."""
    each = [((131072 << 3 | 1 << 1 | (at == blocks - 1)).to_bytes(3, "little") + b"\0") for at in range(blocks)]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(each)


def _bombs() -> None:
    """Inflate a bomb of each compression, of 1.6 GB and more in a few kilobytes.

    The peak is of this program alone: ``ru_maxrss`` is inherited from the process that started it.
    """
    zeros = bytes(4 << 20)
    bombs: list[tuple[Compression, bytes]] = [
        ("zstd", runs_of_zstd(40_000)),
        ("lz4", (2**31 - 16).to_bytes(4, "little") + numcodecs.LZ4().encode(zeros)[4:]),
        *[(one, COMPRESS[one](zeros) * 400) for one in ("gzip", "bz2", "lzma")],
    ]
    for compression, stored in bombs:
        with pytest.raises(ItemError):
            inflate(stored, compression, 4000, "a")
    assert int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) < 400_000  # kB


def test_bombs_take_no_memory() -> None:
    code = f"import sys; sys.path.insert(0, {str(__file__).rpartition('/')[0]!r}); import test_inflate as t; t._bombs()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
