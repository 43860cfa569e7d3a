"""Zarr stores: found by names, checked by metadata, and refused if a codec could run code or a claim is false."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import zarr

from tonearm.api import FREE_SECONDS, STORED_PER_SECOND, WRITE_AGAIN, ItemError, ZipBounds, limited_memory
from tonearm_plugins.formats import zarr_store

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def opened(path: Path) -> Mapping[str, Any]:
    return zarr_store.open_arrays(zarr_store.FolderStore(path, path.name))


def refused(path: Path, key: str = "") -> ItemError:
    with pytest.raises(ItemError) as caught:
        opened(path)[key]
    return caught.value


def group(path: Path, version: int = 3, **arrays: Any) -> Path:
    root = zarr.open_group(path, mode="w", zarr_format=version)
    for key, value in arrays.items():
        root.create_array(key.replace("__", "/"), data=value, chunks=value.shape)
    return path


def version_2(path: Path, chunk: bytes, **fields: Any) -> Path:
    """An array of version 2, with any figures and one chunk."""
    path.mkdir()
    given = {"dtype": "<f4", "shape": [4], "chunks": [4], "compressor": None, "filters": None} | fields
    (path / ".zarray").write_text(json.dumps({"zarr_format": 2, "order": "C", "fill_value": 0} | given))
    (path / "0").write_bytes(chunk)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_arrays_are_found_by_their_paths(version: int, tmp_path: Path) -> None:
    arrays = opened(group(tmp_path / "a.zarr", version, wav=SAMPLES, deep__er__wav=SAMPLES * 2))
    assert sorted(arrays) == ["deep/er/wav", "wav"]
    assert np.array_equal(arrays["deep/er/wav"], SAMPLES * 2)


def test_an_array_at_the_root_has_no_name(tmp_path: Path) -> None:
    assert np.array_equal(opened(version_2(tmp_path / "a.zarr", SAMPLES.tobytes()))[""], SAMPLES)


def test_links_are_not_followed(tmp_path: Path) -> None:
    group(tmp_path / "other", wav=SAMPLES)
    path = group(tmp_path / "a.zarr", wav=SAMPLES)
    (path / "link").symlink_to(tmp_path / "other/wav")
    (path / "file").symlink_to(tmp_path / "other/zarr.json")
    assert list(opened(path)) == ["wav"]
    assert "file" not in zarr_store.FolderStore(path, "a.zarr").files


class Evil:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("fields", [{"filters": [{"id": "pickle"}]}, {"compressor": {"id": "pickle"}}])
def test_a_pickle_is_refused(fields: dict[str, Any], tmp_path: Path) -> None:
    path = version_2(tmp_path / "a.zarr", pickle.dumps(Evil(tmp_path / "evil")), **fields)
    error = refused(path)
    assert error.message == "'a.zarr' is coded by 'pickle', which is not for arrays of numbers"
    assert not (tmp_path / "evil").exists()


def test_a_pickle_within_shards_is_refused(tmp_path: Path) -> None:
    inner = {"name": "sharding_indexed", "configuration": {"codecs": [{"name": "numcodecs.pickle"}]}}
    path = group(tmp_path / "a.zarr", wav=SAMPLES)
    metadata = json.loads((path / "wav/zarr.json").read_text())
    (path / "wav/zarr.json").write_text(json.dumps(metadata | {"codecs": [inner]}))
    assert refused(path, "wav").message.startswith("'a.zarr/wav' is coded by 'pickle'")


def test_chunks_that_inflate_to_something_else(tmp_path: Path) -> None:
    zeros = zlib.compress(bytes(30 << 20), 9)
    inflating = {"compressor": {"id": "zlib", "level": 9}}
    error = refused(version_2(tmp_path / "a.zarr", zeros, **inflating))
    assert error.message == f"'a.zarr' has {len(zeros):,} compressed bytes for 16 bytes of values"
    error = refused(version_2(tmp_path / "b.zarr", zeros, chunks=[10**9], **inflating))
    assert error.message == f"'b.zarr' claims 4,000,000,000 bytes, but only {len(zeros):,} are stored"


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    error = refused(version_2(tmp_path / "a.zarr", bytes(32), dtype="<M8[s]"))
    assert (error.code, error.message) == ("not-numbers", "'a.zarr' holds datetime64[s] values, not numbers")


@pytest.mark.parametrize("content", ["{", "[]", "x" * ((1 << 20) + 1)])
def test_broken_metadata_is_refused(content: str, tmp_path: Path) -> None:
    path = version_2(tmp_path / "a.zarr", bytes(16))
    (path / ".zarray").write_text(content)
    assert refused(path).code == "broken-file"


def test_too_many_arrays_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = group(tmp_path / "a.zarr", a=SAMPLES, b=SAMPLES)
    monkeypatch.setattr(zarr_store, "MAX_ARRAYS", 1)
    assert refused(path, "a").message == "'a.zarr' has more than 1 arrays"
    with limited_memory(1000), pytest.raises(ItemError, match=r"'a\.zarr' has more than 1 files") as caught:
        opened(path)
    assert caught.value.code == "too-large"


def zipped(*names: str, how: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        for name in names:
            archive.writestr(name, bytes(1 << 20))
    return file


def test_a_zipped_store_has_the_sizes_of_its_files() -> None:
    store = zarr_store.ZippedStore(zipped("wav/c/0", "wav/"), "a.zarr.zip")
    assert store.files == {"wav/c/0": 1 << 20}
    assert store.read("wav/c/0") == bytes(1 << 20)


def test_a_zipped_store_that_lies_is_refused() -> None:
    with pytest.raises(ItemError, match="two members called 'b'"):
        zarr_store.ZippedStore(zipped("b", "b"), "a.zarr.zip")
    locked = bytearray(zipped("b").getvalue())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(ItemError, match="'b' is encrypted"):
        zarr_store.ZippedStore(io.BytesIO(locked), "a.zarr.zip")
    bomb = zipped(*(str(at) for at in range(300)), how=zipfile.ZIP_DEFLATED)
    with pytest.raises(ItemError, match="inflates from") as caught:
        zarr_store.ZippedStore(bomb, "a.zarr.zip")
    assert caught.value.code == "too-large"
    with limited_memory(3 * 300), pytest.raises(ItemError, match="holds too much"):
        zarr_store.ZippedStore(zipped("1", "2"), "a.zarr.zip")
    with pytest.raises(ItemError, match="zipped Zarr store") as caught:
        zarr_store.ZippedStore(io.BytesIO(b"nonsense"), "a.zarr.zip")
    assert caught.value.code == "broken-file"


def test_the_limits_are_those_that_are_documented() -> None:
    assert (zarr_store.MAX_ARRAYS, zarr_store.MAX_METADATA, zarr_store.MAX_DEPTH) == (100_000, 1_048_576, 64)


def files_of(folder: Path) -> zarr_store.FolderStore:
    return zarr_store.FolderStore(folder, "a.zarr")


def test_files_of_a_folder_have_sizes_and_everything_else_a_kind(tmp_path: Path) -> None:
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b/c/d").write_bytes(b"1")
    (tmp_path / "b/link").symlink_to("../a")
    (tmp_path / "folder").symlink_to("b")
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "b/pipe")
    store = files_of(tmp_path)
    assert store.files == {"a": 5, "b/c/d": 1}
    assert store.irregular == {
        "b/link": "a link",
        "folder": "a link",
        "gone": "a link",
        "b/pipe": "a pipe or a device",
    }


def test_folders_are_entered_down_to_a_depth(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(66):
        path = path / "d"
        path.mkdir()
        (path / "f").write_bytes(b"")
    assert sorted(map(len, files_of(tmp_path).files)) == [2 * depth + 1 for depth in range(1, 65)]


def test_files_links_and_folders_count(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "link").symlink_to("a")
    with limited_memory(4000):
        assert len(files_of(tmp_path).files) == 2
    with limited_memory(3999), pytest.raises(ItemError) as caught:
        files_of(tmp_path)
    assert (caught.value.code, caught.value.message, caught.value.hint) == (
        "too-large",
        "'a.zarr' has more than 3 files",
        "split it into several stores, or store it in shards",
    )


def test_a_file_is_read_through_no_link_and_up_to_its_size(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/f").write_bytes(b"12345")
    (tmp_path / "f").write_bytes(b"67")
    store = files_of(tmp_path)
    (tmp_path / "f").write_bytes(b"678")
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert (store.read("a/b/f"), store.read("f")) == (b"12345", b"67")
    (tmp_path / "a/b").rename(tmp_path / "other")
    (tmp_path / "a/b").symlink_to("../other")
    (tmp_path / "f").unlink()
    (tmp_path / "f").symlink_to("other/f")
    for file in ("a/b/f", "f", "a/gone/f", "gone"):
        with pytest.raises(OSError, match=r"\[Errno"):
            store.read(file)
    (tmp_path / "f").unlink()
    os.mkfifo(tmp_path / "f")
    with pytest.raises(ValueError, match=r"^f is not a regular file$"):
        store.read("f")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_zipped_store_is_bounded_by_memory() -> None:
    with limited_memory(6000):
        assert len(zarr_store.ZippedStore(zipped("1", "2"), "a.zip").files) == 2
    with limited_memory(5999), pytest.raises(ItemError) as caught:
        zarr_store.ZippedStore(zipped("1", "2"), "a.zip")
    assert caught.value.code == "too-large"
    assert zarr_store.ZippedStore(zipped("1", "2"), "a.zip").irregular == {}
    with pytest.raises(ItemError) as caught:
        zarr_store.ZippedStore(io.BytesIO(b"nonsense"), "a.zip")
    assert (caught.value.message, caught.value.hint) == ("'a.zip' cannot be read as a zipped Zarr store", WRITE_AGAIN)


def test_the_bounds_of_a_zipped_store(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ZipBounds] = []

    def opening(file: Any, name: str, *, bounds: ZipBounds) -> Any:
        asked.append(bounds)
        return SimpleNamespace(members={})

    monkeypatch.setattr(zarr_store, "ZipArchive", opening)
    with limited_memory(6_000_019):
        zarr_store.ZippedStore(io.BytesIO(), "a.zip")
    assert asked == [ZipBounds(members=2000, directory=600_001)]


class Made:
    """A store in memory."""

    name = "a.zarr"
    irregular: Mapping[str, str] = {}

    def __init__(self, **files: bytes) -> None:
        self.content = {name.replace("__", "/").replace("DOT", "."): data for name, data in files.items()}
        self.files = {name: len(data) for name, data in self.content.items()}

    def read(self, file: str) -> bytes:
        return self.content[file]


ARRAY = {"dtype": "<f4", "shape": [4], "chunks": [4], "compressor": None, "filters": None, "zarr_format": 2}
ARRAY |= {"order": "C", "fill_value": 0}


def described(**fields: Any) -> bytes:
    return json.dumps(ARRAY | fields).encode()


def test_chunks_belong_to_the_array_around_them() -> None:
    files = dict.fromkeys(
        ("a/0", "a/c/0/1", "a/.zattrs", "a/zarr.json", "a/b/.zarray", "a/b/0", "x", "ab/0", "zarr.json"), 0
    )
    assert zarr_store._by_array(files, ["a", "a/b", "c"]) == {"a": ["a/0", "a/c/0/1"], "a/b": ["a/b/0"], "c": []}
    assert zarr_store._by_array(files, [""])[""] == ["a/0", "a/c/0/1", "a/b/0", "x", "ab/0"]


def test_arrays_are_told_from_groups_and_listed_once() -> None:
    group, array = b'{"node_type": "group"}', b'{"node_type": "array"}'
    store = Made(zarrDOTjson=group, b__zarrDOTjson=array, b__DOTzarray=described(), a__DOTzarray=b"", a__DOTzgroup=b"")
    assert list(zarr_store.open_arrays(store)) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (described() + b" " * ((1 << 20) - len(described())), None),
        (described() + b" " * ((1 << 20) + 1 - len(described())), "'.zarray has 1,048,577 bytes'"),
        (b"[1]", "'.zarray holds no mapping'"),
    ],
)
def test_metadata_is_a_mapping_of_a_size(content: bytes, message: str | None) -> None:
    store = Made(**{"DOTzarray": content, "0": SAMPLES.tobytes()})
    if message is None:
        assert zarr_store.open_arrays(store)[""].tolist() == SAMPLES.tolist()
        return
    with pytest.raises(ItemError) as caught:
        zarr_store.open_arrays(store)[""]
    assert caught.value.message == f"'a.zarr' cannot be read as a Zarr store: {message}"


def test_an_array_with_links_for_chunks_is_refused(tmp_path: Path) -> None:
    path = group(tmp_path / "a.zarr", wav=SAMPLES)
    (path / "wav/c/1").symlink_to("0")
    error = refused(path, "wav")
    assert (error.code, error.message, error.hint) == (
        "outside-file",
        "'a.zarr': 'wav' has a link 'wav/c/1' where it has its chunks",
        "copy the store with its values: cp -rL",
    )


@pytest.mark.parametrize(("fill", "expected"), [(None, 0), (0, 0), (1.5, 1.5)])
@pytest.mark.parametrize("key", ["", "wav"])
def test_missing_chunks_have_the_fill_value(fill: Any, expected: float, key: str) -> None:
    inside = f"{key}__" if key else ""
    files = {f"{inside}DOTzarray": described(fill_value=fill, shape=[7]), f"{inside}0": SAMPLES.tobytes()}
    assert zarr_store.open_arrays(Made(**files))[key].tolist() == [*SAMPLES.tolist(), *[expected] * 3]


def test_the_order_of_format_2_is_followed() -> None:
    for order in ("C", "F"):
        values = np.arange(6, dtype="f4").reshape(2, 3)
        files = {"DOTzarray": described(shape=[2, 3], chunks=[2, 3], order=order), "0.0": values.tobytes(order)}  # type: ignore[arg-type]
        store = Made()
        store.content = {name.replace("DOT", "."): data for name, data in files.items()}
        store.files = {name: len(data) for name, data in store.content.items()}
        assert np.array_equal(zarr_store.open_arrays(store)[""], values)


def test_time_follows_from_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    until = []
    monkeypatch.setattr(zarr_store.time, "thread_time", lambda: 100.0)
    monkeypatch.setattr(
        zarr_store, "place_chunk", lambda values, chunk, where, data: until.append((chunk.until, where))
    )
    store = Made(**{"DOTzarray": described(shape=[8]), "0": bytes(16), "1": bytes(16), "2": bytes(16), "x": bytes(5)})
    zarr_store.open_arrays(store)[""]
    expected = 100.0 + FREE_SECONDS + 53 / STORED_PER_SECOND
    assert until == [(expected, (0,)), (expected, (1,))]


def test_axes_are_few() -> None:
    for count, fits in ((32, True), (33, False)):
        metadata = ARRAY | {"shape": [1] * count, "chunks": [1] * count}
        if fits:
            assert zarr_store._opened(metadata).shape == (1,) * 32
        else:
            with pytest.raises(ValueError, match=r"^it has no shape, or one of too many axes$"):
                zarr_store._opened(metadata)
    for shape in (None, 3, "4"):
        with pytest.raises(ValueError, match=r"^it has no shape, or one of too many axes$"):
            zarr_store._opened(ARRAY | {"shape": shape})


@pytest.mark.parametrize(
    ("shards", "chunk_bytes", "index"), [(None, 32, 0), ((4, 3), 48, 16 * 4), ((5, 4), 80, 16 * 3 * 2)]
)
def test_sizes_are_judged_together(
    shards: tuple[int, ...] | None, chunk_bytes: int, index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    for name in ("check_claimed_size", "check_memory", "check_stored_size"):
        monkeypatch.setattr(zarr_store, name, lambda *given, name=name: asked.append((name, *given)))
    shape = (10, 7)
    array = SimpleNamespace(shape=shape, dtype=np.dtype("f4"), shards=shards, chunks=(2, 2))
    chunk = SimpleNamespace(nbytes=chunk_bytes)
    for largest, memory in ((7, 280), (1001, (280 + 2 * chunk_bytes + 1001) // 2)):
        asked.clear()
        zarr_store._check_sizes(array, chunk, zarr_store.Stored([], [], 5000, largest), "a", "k")  # type: ignore[arg-type]
        assert asked == [
            ("check_claimed_size", "a", "k", 280, 5000),
            ("check_claimed_size", "a", "k", chunk_bytes, 5000),
            ("check_memory", "a", "k", memory),
            ("check_stored_size", "a", "k", chunk_bytes + index, largest),
        ]


def test_the_largest_and_all_chunks_are_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(zarr_store, "_load", lambda store, key, stored: found.append((key, stored)) or SAMPLES)
    arrays = zarr_store.open_arrays(Made(a__DOTzarray=b"", a__0=b"12", a__1=b"123", a__2=b"1", b__DOTzarray=b""))
    assert len(arrays["a"]) == len(arrays["b"]) == 4
    assert found == [
        ("a", zarr_store.Stored(["a/0", "a/1", "a/2"], [], 6, 3)),
        ("b", zarr_store.Stored([], [], 0, 0)),
    ]


@pytest.mark.parametrize(
    ("version", "separator", "names"),
    [
        (2, ".", {"0.0": (0, 0), "4.3": (4, 3), "5.0": None, "0.4": None, "0": None, "0.0.0": None, "00.0": None}),
        (2, "/", {"0/0": (0, 0), "4/3": (4, 3), "0.0": None, "c/0/0": None}),
        (3, "/", {"c/0/0": (0, 0), "c/4/3": (4, 3), "0/0": None, "c/5/3": None, "c.0.0": None, "d/0/0": None}),
        (
            3,
            ".",
            {"c.0.0": (0, 0), "c/0/0": None, "c.0": None, "c.-1.0": None, "c.0.x": None, "c.0.²": None, "c": None},
        ),
        (
            3,
            "/",
            {
                "c/0/" + "0" * 17 + "1": None,
                "c/0/" + "9" * 19: None,
                "a": None,
                "c/0/": None,
                "": None,
                "c/c/0/0": None,
            },
        ),
    ],
)
def test_names_of_chunks(version: Any, separator: Any, names: dict[str, Any]) -> None:
    encoding: Any = {"name": "v2" if version == 2 else "default", "separator": separator}
    array = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=(10, 7),
        chunks=(2, 2),
        dtype="f4",
        zarr_format=version,
        chunk_key_encoding=encoding,
    )
    assert {name: zarr_store._place_of(name, array) for name in names} == names
    sharded = zarr.create_array(zarr.storage.MemoryStore(), shape=(10, 7), chunks=(2, 2), shards=(4, 4), dtype="f4")
    assert zarr_store._place_of("c/2/1", sharded) == (2, 1)
    assert zarr_store._place_of("c/3/1", sharded) is None


@pytest.mark.parametrize(("version", "name"), [(2, "0"), (3, "c")])
def test_the_chunk_of_one_value(version: Any, name: str) -> None:
    array = zarr.create_array(zarr.storage.MemoryStore(), shape=(), dtype="f4", zarr_format=version)
    assert zarr_store._place_of(name, array) == ()
    assert zarr_store._place_of("1", array) is None
    assert zarr_store._place_of("c/0", array) is None
