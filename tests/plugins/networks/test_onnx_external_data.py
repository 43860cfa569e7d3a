"""Weights of ONNX models in other files: those beside the model pass, and anything else is told, unopened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tonearm_plugins.networks.onnx_external_data import misplaced


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(b"s")
    folder = tmp_path / "m"
    (folder / "below").mkdir(parents=True)
    for name in ("a.onnx", "a.data", "below/b.data"):
        (folder / name).write_bytes(b"w")
    return folder / "a.onnx"


def test_files_beside_or_below_the_model_pass(model: Path) -> None:
    assert list(misplaced(model, ["a.data", "below/b.data", "./a.data", "below/../a.data"])) == []
    assert list(misplaced(str(model), [])) == []


def test_files_that_a_cache_links_pass(model: Path, tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    for name in ("a.onnx", "a.data"):
        (tmp_path / "snapshot" / name).symlink_to(model.parent / name)
    assert list(misplaced(tmp_path / "snapshot/a.onnx", ["a.data"])) == []


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "below/../../secret", "link/secret", "a\0b", "out"])
def test_files_elsewhere_are_told(location: str, model: Path) -> None:
    (model.parent / "link").symlink_to("..")
    (model.parent / "out").symlink_to("../secret")
    assert list(misplaced(model, ["a.data", location])) == [(location, False)]


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [a_pipe, a_folder, nothing], ids=lambda one: one.__name__)
def test_what_is_no_file_is_told_to_be_inside(make: Callable[[Path], None], model: Path) -> None:
    make(model.parent / "w.data")
    assert list(misplaced(model, ["w.data"])) == [("w.data", True)]


def test_links_without_an_end_and_devices_are_told(model: Path) -> None:
    a_loop(model.parent / "w.data")
    (model.parent / "zero").symlink_to("/dev/zero")
    assert [name for name, _ in misplaced(model, ["w.data", "zero"])] == ["w.data", "zero"]
