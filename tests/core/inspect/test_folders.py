"""The files of a folder that decoders read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tonearm.errors import ItemError
from tonearm.inspect import folders
from tonearm.inspect.folders import folder_files, is_folder
from tonearm.plugins.registry import default


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for name in ("b.npy", "a.NPY", "x/c.npy", "x/shard.tar.gz", "x/notes.md", ".hidden/d.npy", ".d.npy", "s.zarr/0"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "in" / "loop").symlink_to("..")
    return str(tmp_path / "in")


def test_what_decoders_read_in_order(folder: str) -> None:
    found = folder_files(folder, default())
    assert [os.path.relpath(name, folder) for name in found.files] == [
        "a.NPY",
        "b.npy",
        "s.zarr",
        "x/c.npy",
        "x/shard.tar.gz",
    ]
    assert found.counts == {".npy": 3, ".zarr": 1, ".tar.gz": 1}
    assert found.summary() == "5 files (3 .npy, 1 .zarr, 1 .tar.gz); 2 files that no decoder reads"


def test_what_one_decoder_reads(folder: str) -> None:
    found = folder_files(folder, default(), "zarr-reader")
    assert [os.path.relpath(name, folder) for name in found.files] == ["s.zarr"]
    assert found.others == 6


def test_a_store_is_no_folder(folder: str) -> None:
    assert is_folder(folder, default())
    assert is_folder(f"{folder}/", default())
    assert not is_folder(f"{folder}/s.zarr", default())
    assert not is_folder(f"{folder}/b.npy", default())
    assert not is_folder(f"{folder}/none", default())


def test_the_work_is_bounded(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_FILES", 2)
    monkeypatch.setattr(folders, "MAX_ENTRIES", 4)
    found = folder_files(folder, default())
    assert len(found.files) == 2
    assert found.summary() == "more than 3 files (2 .npy, 1 .zarr); 1 file that no decoder reads"


def test_a_thousand_folders_deep(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(1200):
        path = path / "a"
        path.mkdir()
    (path / "x.npy").write_text("")
    try:
        assert folder_files(str(tmp_path), default()).counts == {".npy": 1}
    finally:
        subprocess.run(["rm", "-r", tmp_path / "a"], check=True)  # it is too deep for pytest, which removes it later


def test_a_folder_below_that_cannot_be_read_is_counted(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path.name == "x":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert folder_files(folder, default()).summary().endswith("; 1 folder cannot be read")


def test_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(ItemError) as caught:
        folder_files(str(tmp_path), default())
    assert caught.value.code == "nothing-to-inspect"
    with pytest.raises(ItemError) as caught:
        folder_files(str(tmp_path / "none"), default())
    assert caught.value.code == "unreadable"
