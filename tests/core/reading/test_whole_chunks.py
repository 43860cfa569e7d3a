"""Data that are inflated at once: they are judged by what they claim, and zstd by the library that is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numcodecs
import pytest

from tonearm.errors import ItemError
from tonearm.reading.memory import limited_memory
from tonearm.reading.whole_chunks import WHOLE, inflate_whole, too_many_bytes

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda data: bytes(numcodecs.Zstd().encode(data)),
    "lz4": lambda data: bytes(numcodecs.LZ4().encode(data)),
    "blosc": lambda data: bytes(numcodecs.Blosc().encode(data)),
}


@pytest.mark.parametrize("compression", ["zstd", "lz4", "blosc"])
def test_memory_bounds_chunks_that_claim_their_size(compression: str) -> None:
    stored = COMPRESS[compression](bytes(100 << 20))
    with limited_memory(99 << 20), pytest.raises(ItemError, match="inflate to more"):
        inflate_whole(stored, compression, 1 << 40, "a")


def runs_of_zstd(blocks: int) -> bytes:
    """Return a frame of zstd without a size, of blocks that repeat one byte 131,072 times in 4 bytes."""
    each = [((131072 << 3 | 1 << 1 | (at == blocks - 1)).to_bytes(3, "little") + b"\0") for at in range(blocks)]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(each)


def test_frames_without_a_size_are_bounded_by_their_blocks() -> None:
    assert inflate_whole(runs_of_zstd(10), "zstd", 10 << 17, "a") == bytes(10 << 17)
    with pytest.raises(ItemError, match="inflate to more"):
        inflate_whole(runs_of_zstd(10), "zstd", (10 << 17) - 1, "a")
    with pytest.raises(ItemError, match="inflate to more"):
        inflate_whole(runs_of_zstd(40_000), "zstd", 4000, "a")


def test_all_libraries_of_zstd_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    stored = COMPRESS["zstd"](b"content") * 2
    assert inflate_whole(stored, "zstd", 14, "a") == b"content" * 2
    monkeypatch.setitem(sys.modules, "numcodecs", None)
    assert inflate_whole(stored, "zstd", 14, "a") == b"content" * 2
    for name in ("pyarrow", "compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ItemError) as caught:
        inflate_whole(stored, "zstd", 14, "a")
    assert caught.value.code == "missing-requirement"


def test_damaged_data_are_refused() -> None:
    assert set(COMPRESS) == WHOLE
    for compression, compress in COMPRESS.items():
        with pytest.raises(ItemError) as caught:
            inflate_whole(compress(bytes(range(256)) * 9)[:-5], compression, 1 << 20, "a", "b")
        assert caught.value.code == "broken-file"
    assert (
        too_many_bytes("a", "b", 1000).message == "'a': 'b' has compressed data that inflate to more than 1,000 bytes"
    )
