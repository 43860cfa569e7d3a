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
from typing import Any

import numpy as np
import pytest
import zarr

from tonearm.api import ItemError, limited_memory
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
