"""Chunks of Zarr arrays: the same values as zarr reads, for every codec, and bounds that zarr does not have."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs.abc import Codec

from tonearm.api import ItemError
from tonearm_plugins.formats import zarr_codecs, zarr_store

RNG = np.random.default_rng(5)
VALUES = RNG.uniform(-1, 1, (10, 37)).astype("f4")


def read(path: Path, key: str = "") -> Any:
    return zarr_store.open_arrays(zarr_store.FolderStore(path, path.name))[key]


def same(path: Path, dtype: Any = None) -> None:
    """Assert that the array at the root is what zarr reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = zarr.open_array(path, mode="r")[...]
    found = read(path)
    assert found.dtype == (dtype or np.asarray(expected).dtype)
    assert np.array_equal(found, expected, equal_nan=True)


COMPRESSORS: list[Codec | None] = [
    None,
    numcodecs.Zlib(),
    numcodecs.GZip(),
    numcodecs.BZ2(),
    numcodecs.LZMA(),
    numcodecs.LZMA(format=3, filters=[{"id": 33, "preset": 1}]),
    numcodecs.LZ4(),
    numcodecs.Zstd(),
    *[numcodecs.Blosc(cname=name, shuffle=at % 3) for at, name in enumerate(numcodecs.blosc.list_compressors())],
]
FILTERS: list[list[Codec]] = [
    [numcodecs.Delta("f4")],
    [numcodecs.AsType("f2", "f4")],
    [numcodecs.AsType("f8", "f4")],
    [numcodecs.BitRound(10)],
    [numcodecs.FixedScaleOffset(0, 1000, "f4", "i2")],
    [numcodecs.Quantize(3, "f4")],
    [numcodecs.Shuffle(4)],
    [numcodecs.CRC32(), numcodecs.Adler32()],
    [numcodecs.Fletcher32()],
    [numcodecs.JenkinsLookup3()],
    [numcodecs.FixedScaleOffset(0, 1000, "f4", "i4"), numcodecs.Delta("i4"), numcodecs.Zlib()],
]


@pytest.mark.parametrize("compressor", COMPRESSORS, ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_compressor_of_format_2(compressor: Codec | None, order: Any, tmp_path: Path) -> None:
    made = zarr.create_array(
        tmp_path / "a", shape=(10, 37), chunks=(4, 9), dtype="f4", zarr_format=2, compressors=compressor, order=order
    )
    made[...] = VALUES
    same(tmp_path / "a")


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_every_filter_of_format_2(filters: list[Codec], tmp_path: Path) -> None:
    made = zarr.create_array(
        tmp_path / "a", shape=(10, 37), chunks=(4, 9), dtype="f4", zarr_format=2, filters=filters, fill_value=0
    )
    made[...] = VALUES
    same(tmp_path / "a")


@pytest.mark.parametrize("dtype", ["bool", "i1", ">i2", "<i4", ">f8", "f2", "c8", ">c16", "u2"])
@pytest.mark.parametrize("version", [2, 3])
def test_every_type_and_byte_order(dtype: str, version: int, tmp_path: Path) -> None:
    made = zarr.create_array(tmp_path / "a", shape=(30,), chunks=(7,), dtype=dtype, zarr_format=version, fill_value=1)
    made[3:] = RNG.integers(0, 2, 27).astype(dtype)
    same(tmp_path / "a", np.dtype(dtype) if version == 2 else np.dtype(dtype).newbyteorder("="))


@pytest.mark.parametrize("name", ["blosc", "lz4", "zstd", "zlib", "gzip", "bz2", "lzma", "shuffle", "crc32", "adler32"])
def test_codecs_of_numcodecs_in_format_3(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = {"elementsize": 4} if name == "shuffle" else {}
        codec = {"name": f"numcodecs.{name}", "configuration": settings}
        made = zarr.create_array(tmp_path / "a", shape=(10, 37), chunks=(4, 9), dtype="f4", compressors=[codec])
        made[...] = VALUES
    same(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("delta", {"dtype": "f4"}),
        ("fixedscaleoffset", {"offset": 0, "scale": 1000, "dtype": "f4", "astype": "i2"}),
        ("bitround", {"keepbits": 10}),
        ("quantize", {"digits": 3, "dtype": "f4"}),
        ("astype", {"encode_dtype": "f2", "decode_dtype": "f4"}),
    ],
)
def test_filters_of_numcodecs_in_format_3(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        codec = {"name": f"numcodecs.{name}", "configuration": settings}
        made = zarr.create_array(tmp_path / "a", shape=(10, 37), chunks=(4, 9), dtype="f4", filters=[codec])
        made[...] = VALUES
    same(tmp_path / "a")


@pytest.mark.parametrize("where", ["start", "end"])
def test_shards_transposed_and_partly_empty(where: Any, tmp_path: Path) -> None:
    made = zarr.create_array(
        tmp_path / "a",
        shape=(10, 37, 3),
        dtype=">f4",
        fill_value=math.nan,
        filters=[zarr.codecs.TransposeCodec(order=(2, 0, 1))],
        chunks=(2, 4, 1),
        shards={"shape": (6, 8, 3), "index_location": where},
    )
    made[1:4, 5:30, 1] = VALUES[:3, :25]
    same(tmp_path / "a", np.dtype("f4"))


@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("version", [2, 3])
def test_names_of_chunks_and_edges(separator: Any, version: Any, tmp_path: Path) -> None:
    names: Any = {"name": "v2" if version == 2 else "default", "separator": separator}
    made = zarr.create_array(
        tmp_path / "a", shape=(5, 7), chunks=(2, 3), dtype="f4", zarr_format=version, chunk_key_encoding=names
    )
    made[...] = VALUES[:5, :7]
    same(tmp_path / "a")
    for other in ("9.9", "x", "c/9/9", "00.0", "-1.0", "0"):
        (tmp_path / "a" / other).parent.mkdir(exist_ok=True, parents=True)
        if not (tmp_path / "a" / other).exists():
            (tmp_path / "a" / other).write_bytes(b"nonsense")
    same(tmp_path / "a")


def test_one_value(tmp_path: Path) -> None:
    for version in (2, 3):
        made = zarr.create_array(tmp_path / str(version), shape=(), dtype="f4", zarr_format=version)
        made[...] = 0.5
        same(tmp_path / str(version))


def chunk(codecs: list[dict[str, Any]], version: int = 2, shape: tuple[int, ...] = (1000,)) -> zarr_codecs.ZarrChunk:
    return zarr_codecs.ZarrChunk(shape, np.dtype("f4"), 0, "C", codecs, version, "a.zarr", "wav")


def test_filters_that_multiply_are_refused() -> None:
    wide = {"id": "astype", "encode_dtype": "u1", "decode_dtype": "c16"}
    with pytest.raises(ValueError, match="codec astype makes"):
        zarr_codecs.decoded_chunk(chunk([wide] * 9), bytes(1000))
    with pytest.raises(ValueError, match="codec packbits makes"):
        zarr_codecs.decoded_chunk(chunk([{"id": "packbits"}] * 9), bytes(1000))
    with pytest.raises(ValueError, match="codec astype makes"):
        zarr_codecs.decoded_chunk(
            chunk([{"id": "astype", "encode_dtype": "u1", "decode_dtype": "S1000000"}]), bytes(1000)
        )


def test_bytes_beyond_a_chunk_are_refused() -> None:
    for name, codec in (("zlib", numcodecs.Zlib()), ("zstd", numcodecs.Zstd()), ("blosc", numcodecs.Blosc())):
        stored = codec.encode(np.zeros(1 << 20, "f4"))
        with pytest.raises(ItemError, match=r"'a\.zarr': 'wav' has compressed data that inflate to more than"):
            zarr_codecs.decoded_chunk(chunk([{"id": name}]), stored)


def test_chunks_of_shards_lie_within_them(tmp_path: Path) -> None:
    made = zarr.create_array(tmp_path / "a", shape=(64,), chunks=(8,), shards=(64,), dtype="f4")
    made[...] = VALUES.reshape(-1)[:64]
    file = tmp_path / "a/c/0"
    data = bytearray(file.read_bytes())
    position = len(data) - 4 - 8 * 16
    data[position : position + 8] = (1 << 40).to_bytes(8, "little")
    file.write_bytes(data)
    with pytest.raises(ItemError, match="checksum"):
        read(tmp_path / "a")
    import google_crc32c

    data[-4:] = google_crc32c.value(bytes(data[-132:-4])).to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(ItemError, match="outside of its shard"):
        read(tmp_path / "a")
    file.write_bytes(data[-100:])
    with pytest.raises(ItemError, match="cut off"):
        read(tmp_path / "a")


def test_codecs_are_few_and_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="33 codecs"):
        zarr_codecs.check_codecs([{"id": "zlib"}] * 33, "a.zarr")
    zarr.create_array(tmp_path / "a", data=VALUES, zarr_format=2)
    metadata = json.loads((tmp_path / "a/.zarray").read_text())
    (tmp_path / "a/.zarray").write_text(json.dumps(metadata | {"compressor": {"id": "vlen-utf8"}}))
    with pytest.raises(ItemError, match="vlen-utf8"):
        read(tmp_path / "a")
