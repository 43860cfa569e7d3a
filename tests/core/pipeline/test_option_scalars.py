"""Scalars of options, the values that flags may have, and what a type expects in words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from tonearm.api import Decibels, Duration, FileOfEach, FilePath, PathOrName, Transform
from tonearm.pipeline.option_scalars import (
    expected,
    in_folder,
    is_named,
    is_scalar,
    missing_file,
    scalar_value,
    takes,
    takes_list,
)
from tonearm.recipes.mel import MelDialect


@dataclass
class Record:
    count: int = 1


def test_scalars():
    assert scalar_value(Duration, "20 ms") == 0.02
    assert type(scalar_value(Duration, 3)) is float
    assert scalar_value(Path, "a/b") == Path("a/b")
    for hint, value in ((Duration, "3 dB"), (Duration, True), (Path, ""), (int, 1.0)):
        with pytest.raises(msgspec.ValidationError):
            scalar_value(hint, value)


def test_missing_files(tmp_path):
    assert missing_file(FilePath, str(tmp_path)) is None
    assert missing_file(Path, tmp_path / "a\nb") == f"{tmp_path}/a\\nb"
    assert missing_file(str, "no-such") is None
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert missing_file(Path, tmp_path / "link") == f"{tmp_path}/link"


@pytest.mark.parametrize(
    ("hint", "value", "taken"),
    [
        (int | None, 3, True), (int | None, "3", False), (Duration, "3 s", True), (Duration, "3 dB", False),
        (list[Decibels], ["-3 dB"], True), (list[Decibels], ["-3 s"], False), (list[Decibels], "-3 dB", False),
        (list[str], ["a"], True), (FilePath, "no-such", True), (Record, "a", False),
    ],
)  # fmt: skip
def test_what_a_flag_takes(hint, value, taken):
    assert takes(hint, value) is taken


def test_lists():
    assert [takes_list(hint) for hint in (list[int] | None, tuple[Path, ...], dict[str, int], str)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_words():
    hint = int | Duration | Path | Record | dict[str, int] | list[int] | MelDialect | Transform[Any, Any, Any] | None
    assert set(expected(hint)) == {
        "a whole number", "a number, or text such as '1.5 s'", "text", "a mapping", "a list",
        "the name of a dialect", "the name of a transform",
    }  # fmt: skip
    assert expected(Literal["a"] | int) == ["a whole number"]
    assert expected(int, [(int, "Expected `int` >= 1, got `str`")]) == ["a whole number >= 1"]


def test_paths_are_text():
    with pytest.raises(msgspec.ValidationError):
        scalar_value(Path, 3)
    assert [in_folder(hint, "a", folder) for hint in (Path, str) for folder in ("f", "")] == [
        Path("f/a"), "a", "a", "a",
    ]  # fmt: skip


def test_what_is_a_scalar_and_what_has_a_name():
    hints = (int, Duration, Path, type(None), Record, MelDialect, list[int], dict[str, int], Transform[Any, Any, Any])
    assert [is_scalar(hint) for hint in hints] == [True] * 3 + [False] * 6
    assert [is_named(hint) for hint in hints] == [False] * 5 + [True] + [False] * 3


def test_a_file_of_each_source_is_not_looked_for_before_there_is_a_source(tmp_path):
    name = in_folder(FileOfEach, "f0/{stem}.npy", str(tmp_path))
    assert name == f"{tmp_path}/f0/{{stem}}.npy"
    assert missing_file(FileOfEach, name) is None
    assert missing_file(FilePath, name) == name
    assert missing_file(FileOfEach, f"{tmp_path}/f0.npy") == f"{tmp_path}/f0.npy"


def test_a_path_or_a_name_is_a_path_where_there_is_a_file(tmp_path):
    """In the folder of the pipeline; what starts as a path does is never a name."""
    folder = str(tmp_path)
    (tmp_path / "acme").mkdir()
    assert in_folder(PathOrName, "acme", folder) == f"{folder}/acme"
    assert in_folder(PathOrName, "acme/tiny", folder) == "acme/tiny"
    assert missing_file(PathOrName, "acme/tiny") is None
    for path in ("./acme", "../acme", "/acme/tiny", "~/acme"):
        assert missing_file(PathOrName, path) == path
    assert in_folder(PathOrName, "./tiny", folder) == f"{folder}/./tiny"
    assert in_folder(FilePath, "acme/tiny", folder) == f"{folder}/acme/tiny"
