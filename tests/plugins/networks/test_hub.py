"""Folders of models, and the layout of the hub's cache."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tonearm.api import ItemError, OptionError
from tonearm_plugins.networks.hub import (
    MAX_CONFIG_BYTES,
    download,
    find_folder,
    missing_model,
    read_json,
    weight_files,
)

VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(cache: Path, name: str = "models--acme--tiny", commit: str = "c0ffee", ref: str = "main") -> Path:
    snapshot = cache / name / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (cache / name / "refs").mkdir()
    (cache / name / "refs" / ref).write_text(f"{commit}\n")
    return snapshot


@pytest.mark.parametrize(
    ("variables", "where"),
    [
        ({}, ".cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/huggingface/hub"),
        ({"HF_HOME": "hf", "XDG_CACHE_HOME": "xdg"}, "hf/hub"),
        ({"HUGGINGFACE_HUB_CACHE": "old", "HF_HOME": "hf"}, "old"),
        ({"HF_HUB_CACHE": "~/own", "HUGGINGFACE_HUB_CACHE": "old"}, "own"),
    ],
)
def test_the_cache_is_where_the_hubs_library_has_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], where: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value if value.startswith("~") else str(home / value))
    assert find_folder("acme/tiny") is None
    snapshot = put(home / where)
    assert find_folder("acme/tiny") == snapshot


@pytest.mark.torch("huggingface_hub")
@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "xdg"}, {"HF_HOME": "hf"}, {"HF_HUB_CACHE": "own"}])
def test_and_where_the_library_says_itself(
    home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    import subprocess
    import sys

    from tonearm_plugins.networks.hub import cache_folder

    for name, value in variables.items():
        monkeypatch.setenv(name, str(home / value))
    code = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(cache_folder())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme/tiny", True),
        ("acme/tiny@main", True),
        ("acme/tiny@c0ffee", True),
        ("acme/tiny@v2", False),
        ("acme/other", False),
        ("tiny", False),
        ("acme/tiny/more", False),
        ("../acme/tiny", False),
        ("acme/..", False),
        ("acme/tiny@../../x", False),
        ("acme/tiny@", False),
        ("", False),
    ],
)
def test_names_and_revisions(home: Path, name: str, found: bool) -> None:
    snapshot = put(home / ".cache/huggingface/hub")
    assert (find_folder(name) == snapshot) is found
    if not found:
        assert find_folder(name) is None or name == ""


def test_a_revision_leads_nowhere_else(home: Path) -> None:
    cache = home / ".cache/huggingface/hub"
    put(cache)
    (cache / "models--acme--tiny/refs/pr").mkdir()
    assert find_folder("acme/tiny@pr/../main") is None


def test_a_folder_comes_before_the_cache(home: Path) -> None:
    put(home / ".cache/huggingface/hub")
    (home / "acme/tiny").mkdir(parents=True)
    assert find_folder("acme/tiny") == Path("acme/tiny")


def test_a_snapshot_without_a_config_is_none(home: Path) -> None:
    (put(home / ".cache/huggingface/hub") / "config.json").unlink()
    assert find_folder("acme/tiny") is None


def test_weights(home: Path) -> None:
    assert list(weight_files(home)) == []
    (home / "pytorch_model.bin").touch()
    assert [path.name for path in weight_files(home)] == ["pytorch_model.bin"]
    index = home / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "1.safetensors"}}))
    assert list(weight_files(home)) == []
    (home / "1.safetensors").touch()
    (home / "2.safetensors").touch()
    names = ["model.safetensors.index.json", "1.safetensors", "2.safetensors"]
    assert [path.name for path in weight_files(home)] == names
    for text in ('{"weight_map": {"a": "../x/1.safetensors"}}', '{"weight_map": {"a": 3}}', '{"weight_map": {}}', "{}"):
        index.write_text(text)
        assert list(weight_files(home)) == []
    (home / "model.safetensors").touch()
    assert [path.name for path in weight_files(home)] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is no JSON object"),
        ("\xff", "it is not JSON"),
        ("[" * 200_000, "it is not JSON"),
        (" " * (MAX_CONFIG_BYTES + 1), "it is no JSON object"),
    ],
)
def test_configs_that_are_none(home: Path, text: str, reason: str) -> None:
    (home / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(OptionError, match=reason) as caught:
        read_json(home / "config.json")
    assert (caught.value.code, caught.value.option) == ("bad-model", "model")


def test_errors() -> None:
    assert missing_model("/no/such").message == "there is no folder /no/such"
    error = missing_model("acme/tiny")
    assert error.hint == "tonearm run --download PIPELINE, or convert --download, or download=True from Python"
    with pytest.raises(ItemError, match="there is no folder /no/such"):
        download("/no/such")


def test_a_config_that_is_no_file_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "config.json")
    with pytest.raises(OptionError, match="it is no regular file"):
        read_json(home / "config.json")


def test_a_folder_without_a_config(home: Path) -> None:
    with pytest.raises(OptionError, match=r"is no folder of a model: there is no config.json in it") as caught:
        read_json(home / "config.json")
    assert caught.value.code == "bad-model"
    assert "save_pretrained" in caught.value.hint
