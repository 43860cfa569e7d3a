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

from tonearm.api import SAVE_AS_FLOAT32, WRITE_AGAIN, ItemError
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


def test_a_chunk_has_the_size_of_its_values() -> None:
    assert chunk([]).nbytes == 4000
    assert chunk([], shape=(3, 5)).nbytes == 60
    assert chunk([], shape=()).nbytes == 4
    assert chunk([]).until == math.inf


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, []),
        ({"compressor": None, "filters": None}, []),
        ({"compressor": {"id": "a"}, "filters": [{"id": "b"}, {"id": "c"}]}, [{"id": "b"}, {"id": "c"}, {"id": "a"}]),
        ({"compressor": "zlib", "filters": "x"}, [{"id": "zlib"}]),
        (
            {"compressor": {"id": "a"}, "codecs": [{"name": "b"}, "c", 3, None]},
            [{"name": "b"}, {"id": "c"}, {"id": "3"}],
        ),
        ({"codecs": None}, []),
    ],
)
def test_codecs_are_listed_in_the_order_of_encoding(metadata: dict[str, Any], expected: list[Any]) -> None:
    assert zarr_codecs.codecs_of(metadata) == expected


@pytest.mark.parametrize("place", ["codecs", "index_codecs"])
def test_unknown_codecs_are_refused_wherever_they_stand(place: str) -> None:
    bad = [{"name": "bytes"}, {"name": "numcodecs.pickle"}]
    nested = [{"name": "sharding_indexed", "configuration": {place: bad}}]
    for codecs in (bad, nested, [{"name": "sharding_indexed", "configuration": {place: nested}}], [{}], ["x"]):
        found = zarr_codecs.codecs_of({"codecs": codecs})
        with pytest.raises(ItemError) as caught:
            zarr_codecs.check_codecs(found, "a.zarr")
        name = {"[{}]": "{}", "['x']": "x"}.get(str(codecs), "pickle")
        assert (caught.value.code, caught.value.message, caught.value.hint) == (
            "not-numbers",
            f"'a.zarr' is coded by '{name}', which is not for arrays of numbers",
            SAVE_AS_FLOAT32,
        )
    zarr_codecs.check_codecs([{"id": "zlib", "configuration": 3}] * 32, "a.zarr")
    many = [{"name": "sharding_indexed", "configuration": {place: [{"name": "bytes"}] * 33}}]
    with pytest.raises(ValueError, match=r"^it has 33 codecs$"):
        zarr_codecs.check_codecs(many, "a.zarr")


@pytest.mark.parametrize(
    ("shape", "most"),
    [
        ((0,), 4096),
        ((1000,), 16_000 + 4096),
        ((4_194_303,), 67_108_848 + 4096),
        ((4_194_304,), 67_108_864 + 4096),
        ((10_000_000,), 67_108_864 + 4096),
        ((20_000_000,), 90_000_000 + 4096),
        ((20_000_001,), 80_000_004 + 10_000_000 + 4096),
    ],
)
def test_a_codec_makes_no_more_than_a_chunk_with_some_slack(
    shape: tuple[int, ...], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(zarr_codecs, "inflate", lambda *given, **more: asked.append((given, more)) or b"")
    zarr_codecs._undone({"id": "zlib"}, b"data", chunk([], shape=shape))
    zarr_codecs._undone({"id": "zlib"}, np.arange(2, dtype="u1"), chunk([], shape=shape))
    assert asked == [
        ((b"data", "zlib", most, "a.zarr", "wav"), {"filters": None}),
        ((b"\0\1", "zlib", most, "a.zarr", "wav"), {"filters": None}),
    ]


@pytest.mark.parametrize(
    ("codec", "fits", "beyond", "claimed"),
    [
        ({"id": "packbits"}, 2512, 2513, "20,104"),
        ({"id": "astype", "encode_dtype": "u1", "decode_dtype": "u2"}, 10048, 10049, "20,098"),
        ({"id": "astype", "encode_dtype": "u2", "decode_dtype": "u4"}, 10048, 10050, "20,100"),
        ({"id": "astype", "encode_dtype": "f8", "decode_dtype": "f4"}, 40192, 40200, "20,100"),
        ({"id": "delta", "dtype": "u2"}, 20096, 20098, "20,098"),
        ({"id": "fixedscaleoffset", "offset": 0, "scale": 1, "dtype": "f4", "astype": "u1"}, 5024, 5025, "20,100"),
    ],
)
def test_filters_make_no_more_than_that(codec: dict[str, Any], fits: int, beyond: int, claimed: str) -> None:
    assert zarr_codecs._undone(codec, np.zeros(fits, "u1"), chunk([])) is not None
    with pytest.raises(ValueError, match=f"^codec {codec['id']} makes {claimed} bytes of a chunk of 4,000$"):
        zarr_codecs._undone(codec, np.zeros(beyond, "u1"), chunk([]))


@pytest.mark.parametrize("change", [{"encode_dtype": "S1"}, {"decode_dtype": "M8[s]"}, {"decode_dtype": "O"}])
def test_filters_make_numbers_of_numbers(change: dict[str, str]) -> None:
    codec = {"id": "astype", "encode_dtype": "u1", "decode_dtype": "u1"} | change
    with pytest.raises(ValueError, match=r"^codec astype makes"):
        zarr_codecs._undone(codec, np.zeros(16, "u1"), chunk([]))


def test_a_codec_in_the_wrong_place_is_refused() -> None:
    for name in ("bytes", "endian", "transpose", "sharding_indexed"):
        with pytest.raises(ValueError, match=f"^codec {name} stands in the wrong place$"):
            zarr_codecs.decoded_chunk(chunk([{"id": name}]), bytes(4000))


def test_checksums_of_format_3() -> None:
    import google_crc32c

    data = SAMPLES.tobytes()
    codecs = [{"name": "bytes"}, {"name": "crc32c"}]
    good = data + google_crc32c.value(data).to_bytes(4, "little")
    assert zarr_codecs.decoded_chunk(chunk(codecs, 3, (5,)), good).tolist() == SAMPLES.tolist()
    for bad in (good[:-1] + b"?", b"?" + good[1:], good[:-4], data + google_crc32c.value(data).to_bytes(4, "big")):
        with pytest.raises(ValueError, match=r"^a checksum is wrong$"):
            zarr_codecs.decoded_chunk(chunk(codecs, 3, (5,)), bad)


SAMPLES = np.array([0.5, -0.25, 0.125, 1, 2], "f4")
GRID = np.arange(24, dtype="f4").reshape(2, 3, 4)


@pytest.mark.parametrize("endian", ["little", "big", None])
def test_byte_orders_of_format_3(endian: str | None) -> None:
    data = SAMPLES.astype(">f4" if endian == "big" else "<f4").tobytes()
    codec = {"name": "bytes"} | ({"configuration": {"endian": endian}} if endian else {})
    assert zarr_codecs.decoded_chunk(chunk([codec], 3, (5,)), data).tolist() == SAMPLES.tolist()


@pytest.mark.parametrize(
    ("order", "axes"), [("C", (0, 1, 2)), ("F", (2, 1, 0)), ([1, 2, 0], (1, 2, 0)), ([2, 0, 1], (2, 0, 1))]
)
def test_axes_are_turned_back(order: Any, axes: tuple[int, ...]) -> None:
    turn = {"name": "transpose", "configuration": {"order": order}}
    codecs = [turn, {"name": "bytes"}]
    found = zarr_codecs.decoded_chunk(chunk(codecs, 3, (2, 3, 4)), GRID.transpose(axes).tobytes())
    assert np.array_equal(found, GRID)
    twice = [turn, turn, {"name": "bytes"}]
    data = GRID.transpose(axes).transpose(axes).tobytes()
    assert np.array_equal(zarr_codecs.decoded_chunk(chunk(twice, 3, (2, 3, 4)), data), GRID)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16])
@pytest.mark.parametrize("version", [2, 3])
def test_bits_are_unpacked(count: int, version: int) -> None:
    values = np.arange(count) % 3 == 0
    data = bytes(numcodecs.PackBits().encode(values))
    codecs = [{"name": "numcodecs.packbits"}, {"name": "bytes"}] if version == 3 else [{"id": "packbits"}]
    given = chunk(codecs, version, (count,))._replace(dtype=np.dtype("bool"))
    assert zarr_codecs.decoded_chunk(given, data).tolist() == values.tolist()


def shard(
    data: bytes,
    index: list[tuple[int, int]],
    *,
    place: str = "end",
    change: dict[str, Any] | None = None,
    **fields: Any,
) -> Any:
    """Decode a shard whose index is not compressed."""
    table = b"".join(part.to_bytes(8, "little") for pair in index for part in pair)
    plain = [{"name": "bytes"}]
    settings = {"chunk_shape": [2], "codecs": plain, "index_codecs": plain, "index_location": place} | (change or {})
    given = chunk([{"name": "sharding_indexed", "configuration": settings}], 3, (5,))._replace(**fields)
    return zarr_codecs.decoded_chunk(given, table + data if place == "start" else data + table)


NONE = (2**64 - 1, 2**64 - 1)


@pytest.mark.parametrize("place", ["start", "end"])
def test_chunks_of_a_shard_have_their_places_and_others_the_fill_value(place: str) -> None:
    at = 48 if place == "start" else 0
    data = np.arange(6, dtype="f4").tobytes()
    found = shard(data, [(at + 8, 8), NONE, (at, 8)], place=place, fill=-1)
    assert found.tolist() == [2, 3, -1, -1, 0]
    if place == "end":  # the last chunk may even be the index itself
        assert shard(b"", [(0, 8), NONE, (40, 8)], place=place).shape == (5,)
        with pytest.raises(ValueError, match=r"^a chunk lies outside of its shard$"):
            shard(b"", [(0, 8), NONE, (41, 8)], place=place)
    for pair in ((2**64 - 1, 8), (0, 2**64 - 1)):
        with pytest.raises(ValueError, match=r"^a chunk lies outside of its shard$"):
            shard(data, [pair, NONE, NONE], place=place)


def test_a_shard_of_one_value() -> None:
    data = np.float32(0.5).tobytes()
    found = shard(data, [(0, 4)], change={"chunk_shape": []}, shape=())
    assert (found.shape, found.tolist()) == ((), 0.5)


@pytest.mark.parametrize("sizes", [[], [2, 1], [0], [-1]])
def test_chunks_of_a_shard_have_its_axes(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"^the chunks of a shard have another number of axes$"):
        shard(bytes(99), [NONE], change={"chunk_shape": sizes})


def test_shards_that_claim_too_much_are_refused() -> None:
    with pytest.raises(ItemError, match=r"'a\.zarr': 'wav' claims 40,000,000,000 bytes, but only 26 are stored"):
        shard(bytes(10), [NONE], change={"chunk_shape": [10**10]})
    with pytest.raises(ItemError, match="compressed bytes for 8 bytes of values"):
        shard(bytes(1 << 20), [(0, 1 << 20), NONE, NONE])
    for names in (["zlib"], ["crc32c", "bytes"], ["bytes", "zlib"], [], ["bytes", "crc32c", "crc32c"]):
        codecs = [{"name": name} for name in names]
        with pytest.raises(ValueError, match=r"^the index of a shard is compressed$"):
            shard(bytes(10), [NONE] * 3, change={"index_codecs": codecs})
    assert shard(b"", [NONE] * 3, fill=3).tolist() == [3] * 5
    for codecs, size in (([{"name": "bytes"}], 48), ([{"name": "endian"}, {"name": "crc32c"}], 52)):
        with pytest.raises(ValueError, match=r"^a shard is cut off: its index is missing$"):
            shard(bytes(size - 1), [], change={"index_codecs": codecs})
    with pytest.raises(ValueError, match=r"^a checksum is wrong$"):
        shard(bytes(52), [], change={"index_codecs": [{"name": "endian"}, {"name": "crc32c"}]})


def test_time_is_judged_before_a_chunk_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.zeros((3,), "f4")
    monkeypatch.setattr(zarr_codecs.time, "thread_time", lambda: 7.0)
    given = chunk([], shape=(2,))
    for until in (math.inf, 8.0, 7.0):
        zarr_codecs.place_chunk(values, given._replace(until=until), (1,), SAMPLES[:2].tobytes())
        assert values.tolist() == [0, 0, 0.5]
    with pytest.raises(ItemError) as caught:
        zarr_codecs.place_chunk(values, given._replace(until=6.9), (1,), b"")
    assert (caught.value.code, caught.value.message, caught.value.hint) == (
        "too-large",
        "'a.zarr': 'wav' takes too long to inflate",
        WRITE_AGAIN,
    )
    with pytest.raises(ValueError, match="zip"):
        zarr_codecs.place_chunk(values, given, (1, 0), SAMPLES[:2].tobytes())


@pytest.mark.parametrize(
    ("name", "settings", "data", "expected"),
    [
        ("astype", {"encode_dtype": "f2"}, np.array([1, 2], "f2"), [1, 2]),
        ("delta", {}, np.array([1, 2], "f4"), [1, 3]),
        ("quantize", {"digits": 3}, np.array([1, 2], "f4"), [1, 2]),
        ("fixedscaleoffset", {"offset": 1, "scale": 2, "astype": "i2"}, np.array([2, 4], "i2"), [2, 3]),
    ],
)
def test_filters_of_format_3_know_the_type_of_the_chunk(
    name: str, settings: dict[str, Any], data: Any, expected: list[float]
) -> None:
    codec = {"name": f"numcodecs.{name}", "configuration": settings}
    found = zarr_codecs._undone(codec, data, chunk([], 3, (2,)))
    assert (found.dtype, found.tolist()) == ("f4", expected)
    with pytest.raises(TypeError):
        zarr_codecs._undone({"id": name, **settings}, data, chunk([], 2, (2,)))


@pytest.mark.parametrize(("settings", "size"), [({}, 4), ({"elementsize": None}, 4), ({"elementsize": 2}, 2)])
def test_bytes_are_shuffled_by_the_size_of_a_value_unless_another_is_given(settings: dict[str, Any], size: int) -> None:
    data = SAMPLES[:4].tobytes()
    stored = bytes(numcodecs.Shuffle(size).encode(data))
    assert bytes(zarr_codecs._undone({"id": "shuffle", **settings}, stored, chunk([]))) == data
